package httpadapter_test

import (
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
)

func TestCreateReturnsTheTokenWithItsValueThisOnce(t *testing.T) {
	h := newHost(t)
	got := h.create(alice, `{"name":"  ci  ","groupId":1,"scopes":["full_scope"],"expiresInDays":60}`)
	require.Equal(t, http.StatusCreated, got.status, got.body)
	doc := got.object(t)
	value := doc["token"].(string)
	assert.Regexp(t, "^"+pat.ValuePattern+"$", value)
	tok := h.stored(doc["id"].(string))
	assert.Equal(t, `{"id":"`+tok.ID+`","userId":"alice","groupId":1,"name":"ci","tokenPrefix":"`+tok.Prefix+
		`","scopes":["full_scope"],"effectiveScope":"full_scope",`+
		`"createdAt":"2026-03-01T12:00:00.123456Z","updatedAt":"2026-03-01T12:00:00.123456Z",`+
		`"expiresAt":"2026-04-30T12:00:00.123456Z","displayOnceShown":true,"token":"`+value+`"}`, got.body)

	assert.Equal(t, http.StatusOK, h.verify(nil, `{"token":"`+value+`"}`).status)
	for _, later := range []answer{h.list(alice, "groupId=1&includeRevoked=true"), h.verify(nil, `{"token":"`+value+`"}`)} {
		assert.NotContains(t, later.body, value[len(value)-38:])
		assert.NotContains(t, later.body, `"token"`)
	}
}

func TestCreateFillsInTheLeastScopeAndTheDefaultLifetime(t *testing.T) {
	h := newHost(t)
	for _, body := range []string{`{"name":"ci","groupId":1}`, `{"name":"ci","groupId":1,"scopes":[]}`} {
		doc := h.create(alice, body).object(t)
		assert.Equal(t, []any{"public_scope"}, doc["scopes"])
		assert.Equal(t, "public_scope", doc["effectiveScope"])
		assert.Equal(t, "2026-05-30T12:00:00.123456Z", doc["expiresAt"], "90 days, and never no expiry")
	}
}

func TestCreateNeverMakesATokenWithoutExpiryEvenIfThePolicyAllowsIt(t *testing.T) {
	h := newHost(t, func(s *settings) { s.pat.Lifetime.AllowNoExpiry = true })
	doc := h.create(alice, `{"name":"ci","groupId":1}`).object(t)
	assert.Contains(t, doc, "expiresAt")
	assertBadRequest(t, h.create(alice, `{"name":"ci","groupId":1,"expiresInDays":-9223372036854775808}`))
}

func TestCreateTakesAnyLifetimeUpToTheMaximum(t *testing.T) {
	h := newHost(t)
	for _, days := range []int{1, 60, 90, 1825} {
		doc := h.create(alice, `{"name":"ci","groupId":1,"expiresInDays":`+strconv.Itoa(days)+`}`).object(t)
		assert.Equal(t, start.AddDate(0, 0, days).Format(time.RFC3339Nano), doc["expiresAt"])
	}
}

func TestTheMostDaysThereCanBeAreThoseThatADurationHolds(t *testing.T) {
	h := newHost(t, func(s *settings) { s.pat.Lifetime.Max = math.MaxInt64 })
	doc := h.create(alice, `{"name":"ci","groupId":1,"expiresInDays":106751}`).object(t)
	assert.Equal(t, start.AddDate(0, 0, 106751).Format(time.RFC3339Nano), doc["expiresAt"])
	assertBadRequest(t, h.create(alice, `{"name":"ci","groupId":1,"expiresInDays":106752}`))
}

func TestCreateRefusesABadBody(t *testing.T) {
	h := newHost(t)
	for sentence, body := range map[string]string{
		"no body":                   ``,
		"white space":               " \n",
		"null":                      `null`,
		"an array":                  `[]`,
		"a string":                  `"zebra"`,
		"a number":                  `1`,
		"not JSON":                  `zebra`,
		"a form":                    `name=zebra&groupId=1`,
		"cut off":                   `{"name":"zebra","groupId":1`,
		"trailing data":             `{"name":"zebra","groupId":1}{}`,
		"trailing garbage":          `{"name":"zebra","groupId":1} zebra`,
		"a trailing comma":          `{"name":"zebra","groupId":1,}`,
		"single quotes":             `{'name':'zebra','groupId':1}`,
		"a comment":                 `{"name":"zebra",/**/"groupId":1}`,
		"a byte order mark":         "\ufeff" + `{"name":"zebra","groupId":1}`,
		"a duplicate name":          `{"name":"zebra","name":"zebra","groupId":1}`,
		"an escaped duplicate name": `{"name":"zebra","n\u0061me":"zebra","groupId":1}`,
		"a duplicate group":         `{"name":"zebra","groupId":1,"groupId":1}`,
		"a duplicate unknown name":  `{"name":"zebra","groupId":1,"x":1,"x":1}`,
		"a duplicate deep inside":   `{"name":"zebra","groupId":1,"x":[{"a":1,"a":1}]}`,
		"invalid UTF-8":             `{"name":"zebra` + "\xff" + `","groupId":1}`,
		"invalid UTF-8 in unknown":  `{"name":"zebra","groupId":1,"x":"` + "\xff" + `"}`,
		"an overlong encoding":      `{"name":"zebra` + "\xc0\xaf" + `","groupId":1}`,
		"a lone surrogate":          `{"name":"zebra\ud800","groupId":1}`,
		"a raw control character":   "{\"name\":\"zebra\n\",\"groupId\":1}",
		"a name of another case":    `{"Name":"zebra","groupId":1}`,

		"no name":                            `{"groupId":1}`,
		"name null":                          `{"name":null,"groupId":1}`,
		"name a number":                      `{"name":1,"groupId":1}`,
		"name an array":                      `{"name":["zebra"],"groupId":1}`,
		"name empty":                         `{"name":"","groupId":1}`,
		"name of spaces":                     `{"name":" \u2003 ","groupId":1}`,
		"name with NUL":                      `{"name":"zebra\u0000","groupId":1}`,
		"name with newline":                  `{"name":"zebra\nzebra","groupId":1}`,
		"name with escape":                   `{"name":"zebra\u001b[2J","groupId":1}`,
		"name with C1 control":               `{"name":"zebra\u0085x","groupId":1}`,
		"name with a right-to-left override": `{"name":"zebra\u202egnp.exe","groupId":1}`,
		"name with an isolate":               `{"name":"zebra\u2066x","groupId":1}`,
		"name with a line separator":         `{"name":"zebra\u2028x","groupId":1}`,
		"name too long":                      `{"name":"` + strings.Repeat("z", 256) + `","groupId":1}`,

		"no group":                `{"name":"zebra"}`,
		"group null":              `{"name":"zebra","groupId":null}`,
		"group a string":          `{"name":"zebra","groupId":"1"}`,
		"group zero":              `{"name":"zebra","groupId":0}`,
		"group minus zero":        `{"name":"zebra","groupId":-0}`,
		"group negative":          `{"name":"zebra","groupId":-1}`,
		"group with plus":         `{"name":"zebra","groupId":+1}`,
		"group zero-padded":       `{"name":"zebra","groupId":01}`,
		"group fractional":        `{"name":"zebra","groupId":1.5}`,
		"group a whole fraction":  `{"name":"zebra","groupId":1.0}`,
		"group with exponent":     `{"name":"zebra","groupId":1e0}`,
		"group with big exponent": `{"name":"zebra","groupId":1e999999999}`,
		"group one above 2^53-1":  `{"name":"zebra","groupId":9007199254740992}`,
		"group rounds to 2^53-1":  `{"name":"zebra","groupId":9007199254740991.1}`,
		"group above 64 bits":     `{"name":"zebra","groupId":18446744073709551617}`,
		"group true":              `{"name":"zebra","groupId":true}`,
		"group an array":          `{"name":"zebra","groupId":[1]}`,
		"group an object":         `{"name":"zebra","groupId":{}}`,
		"group hexadecimal":       `{"name":"zebra","groupId":0x1}`,
		"group not a number":      `{"name":"zebra","groupId":NaN}`,

		"scopes null":         `{"name":"zebra","groupId":1,"scopes":null}`,
		"scopes a string":     `{"name":"zebra","groupId":1,"scopes":"full_scope"}`,
		"scopes an object":    `{"name":"zebra","groupId":1,"scopes":{}}`,
		"scopes of null":      `{"name":"zebra","groupId":1,"scopes":[null]}`,
		"scopes of numbers":   `{"name":"zebra","groupId":1,"scopes":[1]}`,
		"scopes nested":       `{"name":"zebra","groupId":1,"scopes":[["full_scope"]]}`,
		"scope unknown":       `{"name":"zebra","groupId":1,"scopes":["zebra"]}`,
		"one scope unknown":   `{"name":"zebra","groupId":1,"scopes":["public_scope","zebra"]}`,
		"scope of other case": `{"name":"zebra","groupId":1,"scopes":["FULL_SCOPE"]}`,
		"scope empty":         `{"name":"zebra","groupId":1,"scopes":[""]}`,
		"scope with space":    `{"name":"zebra","groupId":1,"scopes":["public_scope full_scope"]}`,
		"scopes cut off":      `{"name":"zebra","groupId":1,"scopes":["public_scope"`,

		"lifetime null":                  `{"name":"zebra","groupId":1,"expiresInDays":null}`,
		"lifetime a string":              `{"name":"zebra","groupId":1,"expiresInDays":"60"}`,
		"lifetime zero":                  `{"name":"zebra","groupId":1,"expiresInDays":0}`,
		"lifetime minus zero":            `{"name":"zebra","groupId":1,"expiresInDays":-0}`,
		"lifetime negative":              `{"name":"zebra","groupId":1,"expiresInDays":-1}`,
		"lifetime fractional":            `{"name":"zebra","groupId":1,"expiresInDays":1.5}`,
		"lifetime a whole fraction":      `{"name":"zebra","groupId":1,"expiresInDays":60.0}`,
		"lifetime with exponent":         `{"name":"zebra","groupId":1,"expiresInDays":6e1}`,
		"lifetime one above the maximum": `{"name":"zebra","groupId":1,"expiresInDays":1826}`,
		"lifetime just below overflow":   `{"name":"zebra","groupId":1,"expiresInDays":106751}`,
		"lifetime overflows a duration":  `{"name":"zebra","groupId":1,"expiresInDays":106752}`,
		"lifetime overflows to one day":  `{"name":"zebra","groupId":1,"expiresInDays":213504}`,
		"lifetime overflows 64 bits":     `{"name":"zebra","groupId":1,"expiresInDays":18446744073709551617}`,
		"lifetime false":                 `{"name":"zebra","groupId":1,"expiresInDays":false}`,
		"lifetime an array":              `{"name":"zebra","groupId":1,"expiresInDays":[60]}`,
	} {
		t.Run(sentence, func(t *testing.T) { assertBadRequest(t, h.create(alice, body)) })
	}
	assert.Empty(t, h.reports)
	assert.Equal(t, "[]", h.list(alice, "groupId=1&includeRevoked=true").body, "nothing was stored")
}

func TestFieldsTheCallerMustNotSetAreNeverTakenFromTheBody(t *testing.T) {
	h := newHost(t)
	const id = "00000000-0000-7000-8000-000000000000"
	got := h.create(alice, `{"name":"ci","groupId":1,"userId":"bob","id":"`+id+`","token":"pat_zebra","tokenPrefix":"zebra",`+
		`"createdAt":"2000-01-01T00:00:00Z","expiresAt":"2999-01-01T00:00:00Z","revokedAt":"2000-01-01T00:00:00Z",`+
		`"effectiveScope":"full_scope","displayOnceShown":false,"GroupId":2,"SCOPES":["full_scope"],"unknown":{"deep":[null]}}`)
	require.Equal(t, http.StatusCreated, got.status, got.body)
	doc := got.object(t)
	assert.Equal(t, "alice", doc["userId"])
	assert.NotEqual(t, id, doc["id"])
	assert.NotContains(t, got.body, "zebra")
	assert.EqualValues(t, 1, doc["groupId"])
	assert.Equal(t, []any{"public_scope"}, doc["scopes"])
	assert.Equal(t, "2026-03-01T12:00:00.123456Z", doc["createdAt"])
	assert.Equal(t, "2026-05-30T12:00:00.123456Z", doc["expiresAt"])
	assert.NotContains(t, doc, "revokedAt")
	assert.Equal(t, true, doc["displayOnceShown"])
}

func TestOverTheLimitACreateIsForbiddenWithACodeOfItsOwn(t *testing.T) {
	h := newHost(t, func(s *settings) { s.pat.GroupLimit = 2 })
	const body = `{"name":"ci","groupId":1}`
	first := h.create(alice, body).object(t)
	require.Equal(t, http.StatusCreated, h.create(alice, body).status)
	got := h.create(alice, body)
	assert.Equal(t, http.StatusForbidden, got.status)
	assert.Equal(t, "token_limit_reached", got.code())
	require.Equal(t, http.StatusNoContent, h.delete(alice, first["id"].(string)).status)
	assert.Equal(t, http.StatusCreated, h.create(alice, body).status, "a revoked token frees its place")
}

func TestTheLimitHoldsWhileManyCreatorsRaceForTheLastPlaces(t *testing.T) {
	h := newHost(t)
	server := httptest.NewServer(h.handler)
	defer server.Close()
	const creators = 40
	codes := make(chan string, creators)
	var begin, done sync.WaitGroup
	begin.Add(1)
	for range creators {
		done.Go(func() {
			begin.Wait()
			r, err := http.NewRequest(http.MethodPost, server.URL+base+"/pats", strings.NewReader(`{"name":"ci","groupId":1}`))
			if !assert.NoError(t, err) {
				return
			}
			r.Header = bearer(alice)
			codes <- fetch(t, r).code()
		})
	}
	begin.Done()
	done.Wait()
	close(codes)
	count := map[string]int{}
	for code := range codes {
		count[code]++
	}
	assert.Equal(t, map[string]int{"": 10, "token_limit_reached": 30}, count)
	assert.Len(t, h.list(alice, "groupId=1").rows(t), 10)
}

func TestTheDetailSaysWhatAFieldOfAnotherTypeHasToBe(t *testing.T) {
	h := newHost(t)
	for fields, detail := range map[string]string{
		`"name":1`:                          "name must be a string.",
		`"name":"ci","scopes":"full_scope"`: "scopes must be an array of strings.",
		`"name":"ci","scopes":[1]`:          "Each of scopes must be a string.",
	} {
		got := h.create(alice, `{"groupId":1,`+fields+`}`)
		assertBadRequest(t, got)
		assert.Equal(t, detail, got.object(t)["detail"])
	}
}

func TestAScopePolicyWithoutLadderNamesEveryScopeThatStands(t *testing.T) {
	h := newHost(t, func(s *settings) { s.pat.Scopes = pat.ScopePolicy{} })
	doc := h.create(alice, `{"name":"ci","groupId":1,"scopes":["repo:write","read","read"]}`).object(t)
	assert.Equal(t, []any{"repo:write", "read"}, doc["scopes"])
	assert.Equal(t, "repo:write read", doc["effectiveScope"])
	doc = h.create(alice, `{"name":"ci","groupId":1}`).object(t)
	assert.Equal(t, []any{}, doc["scopes"])
	assert.Contains(t, doc, "effectiveScope")
	assert.Empty(t, doc["effectiveScope"])
}

func TestAUserIDThatPackagePatRefusesIsTheHostsFault(t *testing.T) {
	h := newHost(t, func(s *settings) {
		s.adapter.Authenticate = func(*http.Request) (httpadapter.Caller, error) {
			return httpadapter.Caller{UserID: "alice\n"}, nil
		}
		s.adapter.Authorize = remember(new(string))
	})
	assert.Equal(t, http.StatusInternalServerError, h.create(alice, `{"name":"ci","groupId":1}`).status)
	require.Len(t, h.reports, 1)
	assert.ErrorIs(t, h.reports[0], pat.ErrInvalidArgument)
}

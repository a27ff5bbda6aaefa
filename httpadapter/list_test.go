package httpadapter_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/storetest"
)

func TestAListWithoutRowsIsAnEmptyArray(t *testing.T) {
	got := newHost(t).list(alice, "groupId=1")
	assert.Equal(t, http.StatusOK, got.status)
	assert.Equal(t, "[]", got.body)
	assert.Equal(t, "application/json", got.header.Get("Content-Type"))
}

func TestAListShowsExpiredTokensNewestFirstAndHidesRevokedOnes(t *testing.T) {
	h := newHost(t)
	old, _ := h.issue(pat.CreateParams{Name: "old", Lifetime: time.Hour})
	h.clock.Add(2 * time.Hour)
	revoked, _ := h.issue(pat.CreateParams{Name: "revoked"})
	h.clock.Add(time.Second)
	recent, _ := h.issue(pat.CreateParams{Name: "recent"})
	h.issue(pat.CreateParams{Name: "elsewhere", GroupID: "2"})
	_, err := h.issuer.Revoke(t.Context(), revoked.ID)
	require.NoError(t, err)

	assert.Equal(t, []any{recent.ID, old.ID}, ids(t, h.list(alice, "groupId=1")))
	assert.Equal(t, []any{recent.ID, old.ID}, ids(t, h.list(alice, "groupId=1&includeRevoked=false")))
	all := h.list(alice, "groupId=1&includeRevoked=true")
	assert.Equal(t, []any{recent.ID, revoked.ID, old.ID}, ids(t, all))
	assert.Equal(t, "2026-03-01T14:00:01.123456Z", all.rows(t)[1]["revokedAt"])
}

func ids(t *testing.T, got answer) []any {
	t.Helper()
	require.Equal(t, http.StatusOK, got.status, got.body)
	list := []any{}
	for _, row := range got.rows(t) {
		list = append(list, row["id"])
	}
	return list
}

func TestARowOfAListHasTheFieldsOfTheContract(t *testing.T) {
	h := newHost(t)
	tok, value := h.issue(pat.CreateParams{Name: "ci <&> \u00e9", Scopes: []string{pat.ScopePublic, pat.ScopeFull}, Lifetime: 24 * time.Hour})
	got := h.list(alice, "groupId=1")
	assert.Equal(t, `[{"id":"`+tok.ID+`","userId":"alice","groupId":1,"name":"ci <&> `+"\u00e9"+`","tokenPrefix":"`+tok.Prefix+
		`","scopes":["public_scope","full_scope"],"effectiveScope":"full_scope",`+
		`"createdAt":"2026-03-01T12:00:00.123456Z","updatedAt":"2026-03-01T12:00:00.123456Z",`+
		`"expiresAt":"2026-03-02T12:00:00.123456Z","displayOnceShown":true}]`, got.body)
	assert.NotContains(t, got.body, value[len("pat_"+tok.Prefix):])
}

func TestATokenThatNeverExpiresHasNoExpiresAt(t *testing.T) {
	h := newHost(t, func(s *settings) { s.pat.Lifetime.AllowNoExpiry = true })
	h.issue(pat.CreateParams{Lifetime: pat.NoExpiry})
	row := h.list(alice, "groupId=1").rows(t)[0]
	assert.NotContains(t, row, "expiresAt")
	assert.NotContains(t, row, "lastUsedAt")
	assert.NotContains(t, row, "revokedAt")
}

func TestAUsedTokenHasALastUsedAt(t *testing.T) {
	h := newHost(t)
	tok, _ := h.issue(pat.CreateParams{})
	require.NoError(t, h.store.Touch(t.Context(), []pat.Use{{Prefix: tok.Prefix, At: start.Add(time.Minute).Truncate(time.Second)}}))
	assert.Equal(t, "2026-03-01T12:01:00Z", h.list(alice, "groupId=1").rows(t)[0]["lastUsedAt"])
}

func TestWithoutLimitAListIsWholeHoweverLong(t *testing.T) {
	h := newHost(t, func(s *settings) { s.pat.GroupLimit = 0 })
	const count = 2*pat.MaxPageSize + 1
	for range count {
		h.issue(pat.CreateParams{})
	}
	before := len(h.store.Calls())
	got := h.list(alice, "groupId=1")
	assert.Equal(t, []string{"List", "List", "List"}, h.store.Calls()[before:], "as few pages as there can be")
	seen := map[any]bool{}
	for _, id := range ids(t, got) {
		seen[id] = true
	}
	assert.Len(t, seen, count)
	assert.Empty(t, got.header.Values("Link"))
}

func TestLinkHeadersLeadThroughThePagesOfAList(t *testing.T) {
	h := newHost(t)
	for range 5 {
		h.issue(pat.CreateParams{})
		h.clock.Add(time.Second)
	}
	whole := ids(t, h.list(alice, "groupId=1"))
	_, err := h.issuer.Revoke(t.Context(), whole[4].(string))
	require.NoError(t, err)

	for _, extra := range []string{"", "&includeRevoked=true"} {
		var pages []int
		paged := []any{}
		for query := "groupId=1&limit=2" + extra; query != ""; {
			got := h.list(alice, query)
			page := ids(t, got)
			pages, paged = append(pages, len(page)), append(paged, page...)
			query = next(t, got)
		}
		if extra == "" {
			assert.Equal(t, []int{2, 2}, pages)
			assert.Equal(t, whole[:4], paged)
		} else {
			assert.Equal(t, []int{2, 2, 1}, pages)
			assert.Equal(t, whole, paged)
		}
	}
	first := h.list(alice, "groupId=1&limit=2")
	rest := strings.Replace(next(t, first), "limit=2", "", 1)
	assert.Equal(t, whole[2:4], ids(t, h.list(alice, rest)), "a cursor without limit gives all the rest")
}

// Nothing bounds how many revoked tokens a group has, so that a list of them comes in pages also where none is
// asked for.
func TestAListWithRevokedTokensIsPagedUnasked(t *testing.T) {
	h := newHost(t, func(s *settings) { s.pat.GroupLimit = 0 })
	for range pat.MaxPageSize + 1 {
		h.issue(pat.CreateParams{})
	}
	plain := h.list(alice, "groupId=1")
	assert.Len(t, ids(t, plain), pat.MaxPageSize+1, "known clients count the rows of the plain list")
	assert.Empty(t, plain.header.Get("Link"))
	first := h.list(alice, "groupId=1&includeRevoked=true")
	assert.Len(t, ids(t, first), pat.MaxPageSize)
	assert.Len(t, ids(t, h.list(alice, next(t, first))), 1)
}

// next follows the Link header as a client does, and returns the query of the next page, or "".
func next(t *testing.T, got answer) string {
	t.Helper()
	link := got.header.Get("Link")
	if link == "" {
		return ""
	}
	reference, ok := strings.CutSuffix(link, `>; rel="next"`)
	require.True(t, ok, link)
	page, err := url.Parse("https://example.org/prefix/pats?groupId=1")
	require.NoError(t, err)
	page, err = page.Parse(strings.TrimPrefix(reference, "<"))
	require.NoError(t, err)
	assert.Equal(t, "/prefix/pats", page.Path, "the reference keeps the path as the client knows it")
	return page.RawQuery
}

func TestAListRefusesABadGroupID(t *testing.T) {
	h := newHost(t)
	for sentence, query := range map[string]string{
		"missing":                        "",
		"misspelt, as names have a case": "groupid=1",
		"empty":                          "groupId=",
		"without a value":                "groupId",
		"zero":                           "groupId=0",
		"negative":                       "groupId=-1",
		"with a plus sign":               "groupId=%2B1",
		"with a plus that is a space":    "groupId=+1",
		"zero-padded":                    "groupId=01",
		"fractional":                     "groupId=1.0",
		"with an exponent":               "groupId=1e0",
		"hexadecimal":                    "groupId=0x1",
		"with an underscore":             "groupId=1_0",
		"in other digits than ASCII":     "groupId=%D9%A1",
		"with a space behind":            "groupId=1%20",
		"with a newline behind":          "groupId=1%0A",
		"with a NUL behind":              "groupId=1%00",
		"one above 2^53-1":               "groupId=9007199254740992",
		"above 64 bits":                  "groupId=18446744073709551617",
		"of a thousand digits":           "groupId=" + strings.Repeat("9", 1000),
		"repeated":                       "groupId=1&groupId=1",
		"repeated with another":          "groupId=1&groupId=2",
		"repeated under an encoded name": "groupId=1&group%49d=2",
		"a word":                         "groupId=zebra",
		"two separated by a comma":       "groupId=1,2",
		"an array":                       "groupId[]=1",
		"followed by a semicolon":        "groupId=1;zebra=1",
		"with a bad escape":              "groupId=1%zz",
		"beside a bad escape":            "groupId=1&zebra=%",
	} {
		t.Run(sentence, func(t *testing.T) { assertBadRequest(t, h.list(alice, query)) })
	}
	assert.Empty(t, h.asked, "Authorize is not asked about a group that is none")
}

func assertBadRequest(t *testing.T, got answer) {
	t.Helper()
	assert.Equal(t, http.StatusBadRequest, got.status, got.body)
	assert.Equal(t, "invalid_request", got.code())
	assert.NotContains(t, got.body, "zebra", "no answer echoes the input")
}

func TestTheLargestGroupIDIs2To53Minus1(t *testing.T) {
	var asked string
	h := newHost(t, func(s *settings) { s.adapter.Authorize = remember(&asked) })
	got := h.list(alice, "groupId=9007199254740991")
	assert.Equal(t, http.StatusOK, got.status)
	assert.Equal(t, "9007199254740991", asked)
	got = h.create(alice, `{"name":"ci","groupId":9007199254740991}`)
	assert.Equal(t, http.StatusCreated, got.status)
	assert.Contains(t, got.body, `"groupId":9007199254740991,`)
}

func TestAListRefusesBadExtensions(t *testing.T) {
	h := newHost(t)
	for _, query := range []string{
		"includeRevoked=", "includeRevoked=TRUE", "includeRevoked=1", "includeRevoked=zebra", "includeRevoked",
		"includeRevoked=true&includeRevoked=true",
		"limit=", "limit", "limit=0", "limit=-1", "limit=1001", "limit=01", "limit=1.0", "limit=%2B1", "limit=zebra",
		"limit=1&limit=1", "limit=99999999999999999999",
		"cursor=", "cursor", "cursor=zebra", "cursor=AAAA", "cursor=a&cursor=b",
	} {
		t.Run(query, func(t *testing.T) { assertBadRequest(t, h.list(alice, "groupId=1&"+query)) })
	}
}

func TestAListIgnoresUnknownParameters(t *testing.T) {
	h := newHost(t)
	for _, query := range []string{"groupId=1&page=3&page=4", "x&groupId=1&GROUPID=2"} {
		assert.Equal(t, http.StatusOK, h.list(alice, query).status)
	}
	assert.Equal(t, http.StatusOK, h.list(alice, "groupId=1&limit=1000").status)
	assert.Equal(t, http.StatusOK, h.list(alice, "group%49d=1").status, "an encoded name is the same name")
}

func TestAStoredGroupIDThatIsNoNumberIsAFault(t *testing.T) {
	for _, id := range []string{"zebra", "01", "-1", "1.0", "9007199254740992"} {
		h := newHost(t, func(s *settings) { s.adapter.Authorize = remember(new(string)) })
		_, value := h.issue(pat.CreateParams{GroupID: id})
		assert.Equal(t, http.StatusInternalServerError, h.verify(nil, `{"token":"`+value+`"}`).status)
		assert.Len(t, h.reports, 1)
	}
}

// These rows were never written. The Verifier can't tell.
func TestARowThatCanNotBeWrittenAsJSONIsAFaultAndNoHalfAnswer(t *testing.T) {
	for sentence, damage := range map[string]func(*pat.Record){
		"a name that is not UTF-8":          func(r *pat.Record) { r.Token.Name = "\xff" },
		"a group that is no number":         func(r *pat.Record) { r.Token.GroupID = "zebra" },
		"a year that RFC 3339 can't write":  func(r *pat.Record) { r.Token.ExpiresAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"a group number with a zero before": func(r *pat.Record) { r.Token.GroupID = "01" },
	} {
		t.Run(sentence, func(t *testing.T) {
			h := newHost(t)
			_, value := h.issue(pat.CreateParams{})
			h.store.Inject(storetest.EveryCall, storetest.Corrupt(damage))
			assert.Equal(t, http.StatusInternalServerError, h.list(alice, "groupId=1").status)
			got := h.verify(nil, `{"token":"`+value+`"}`)
			assert.Equal(t, http.StatusInternalServerError, got.status)
			assert.Equal(t, "internal_error", got.code())
		})
	}
}

func TestTimesAreWrittenInUTCToTheMicrosecond(t *testing.T) {
	h := newHost(t)
	h.issue(pat.CreateParams{})
	h.store.Inject(1, storetest.Corrupt(func(r *pat.Record) {
		r.Token.CreatedAt = time.Date(2026, 3, 1, 1, 2, 3, 456789, time.FixedZone("", 3600))
	}))
	assert.Equal(t, "2026-03-01T00:02:03.000456Z", h.list(alice, "groupId=1").rows(t)[0]["createdAt"])
}

func TestARefusedGroupIDIsToldTheFormThatTheHostHasChosen(t *testing.T) {
	for text, form := range map[bool]string{false: "a whole number", true: "bytes of text"} {
		h := newHost(t, func(s *settings) { s.adapter.StringGroupIDs = text })
		assert.Contains(t, h.list(alice, "groupId=").object(t)["detail"], form)
		assert.Contains(t, h.create(alice, `{"name":"ci"}`).object(t)["detail"], form)
	}
}

func TestStringGroupIDsAreStringsEverywhere(t *testing.T) {
	var asked string
	h := newHost(t, func(s *settings) {
		s.adapter.StringGroupIDs = true
		s.adapter.Authorize = remember(&asked)
	})
	created := h.create(alice, `{"name":"ci","groupId":"team \"a\"/01"}`)
	require.Equal(t, http.StatusCreated, created.status, created.body)
	assert.Equal(t, `team "a"/01`, asked)
	assert.Equal(t, `team "a"/01`, created.object(t)["groupId"])
	listed := h.list(alice, "limit=1&groupId="+url.QueryEscape(`team "a"/01`))
	assert.Equal(t, `team "a"/01`, listed.rows(t)[0]["groupId"])
	verified := h.verify(nil, `{"token":"`+created.object(t)["token"].(string)+`"}`)
	assert.Equal(t, `team "a"/01`, verified.object(t)["groupId"])

	longest := strings.Repeat("a", 255)
	assert.Equal(t, http.StatusCreated, h.create(alice, `{"name":"ci","groupId":"`+longest+`"}`).status)
	assert.Len(t, ids(t, h.list(alice, "groupId="+longest)), 1)

	for _, body := range []string{
		`{"name":"ci","groupId":1}`, `{"name":"ci","groupId":""}`, `{"name":"ci"}`, `{"name":"ci","groupId":null}`,
		`{"name":"ci","groupId":"a\u0000"}`, `{"name":"ci","groupId":"` + strings.Repeat("a", 256) + `"}`,
	} {
		assertBadRequest(t, h.create(alice, body))
	}
	for _, query := range []string{"groupId=", "", "groupId=%FF", "groupId=%0A", "groupId=" + strings.Repeat("a", 256), "groupId=a&groupId=a"} {
		assertBadRequest(t, h.list(alice, query))
	}
}

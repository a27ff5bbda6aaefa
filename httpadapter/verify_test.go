package httpadapter_test

import (
	"context"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

func TestVerifyReturnsTheMetadataOfAValidToken(t *testing.T) {
	h := newHost(t)
	tok, value := h.issue(pat.CreateParams{GroupID: "2", Name: `"ci"`, Lifetime: 24 * time.Hour})
	require.NoError(t, h.store.Touch(t.Context(), []pat.Use{{Prefix: tok.Prefix, At: start.Add(time.Second)}}))
	got := h.verify(nil, `{"token":"`+value+`"}`)
	assert.Equal(t, http.StatusOK, got.status)
	assert.Equal(t, "application/json", got.header.Get("Content-Type"))
	assert.Equal(t, `{"tokenId":"`+tok.ID+`","userId":"alice","groupId":2,"name":"\"ci\"","tokenPrefix":"`+tok.Prefix+
		`","scopes":["public_scope"],"effectiveScope":"public_scope",`+
		`"expiresAt":"2026-03-02T12:00:00.123456Z","lastUsedAt":"2026-03-01T12:00:01.123456Z"}`, got.body)
}

func TestWhereVerifyFindsTheToken(t *testing.T) {
	h := newHost(t)
	_, value := h.issue(pat.CreateParams{})
	_, other := h.issue(pat.CreateParams{})
	body := `{"token":"` + value + `"}`
	auth := func(values ...string) http.Header { return http.Header{"Authorization": values} }
	session := "Bearer " + alice
	bearing := "Bearer " + value

	for _, c := range []struct {
		sentence string
		header   http.Header
		body     string
		status   int
	}{
		{"a token in the body counts", nil, body, 200},
		{"a session beside it is ignored", auth(session), body, 200},
		{"any other scheme beside it is ignored", auth("Basic YTpi"), body, 200},
		{"a header of nonsense beside it is ignored", auth("zebra"), body, 200},
		{"two sessions beside it are ignored", auth(session, session), body, 200},
		{"the same token beside it is fine", auth(bearing), body, 200},
		{"another token beside it is refused", auth("Bearer " + other), body, 400},
		{"another token in a second header is refused", auth(session, "Bearer "+other), body, 400},
		{"a made-up token beside it is refused", auth("Bearer pat_zebra"), body, 400},
		{"a bad token in the body counts, whatever the header holds", auth(bearing), `{"token":"zebra"}`, 401},
		{"a bad PAT in the body is another token", auth(bearing), `{"token":"pat_zebra"}`, 400},
		{"unknown fields are ignored", nil, `{"x":{"token":1},"token":"` + value + `","Token":null,"TOKEN":"zebra"}`, 200},
		{"an escaped name is the same name", nil, `{"tok\u0065n":"` + value + `"}`, 200},
		{"white space around the object is fine", nil, " \t\r\n" + body + "\n", 200},

		{"without a body the header counts", auth(bearing), "", 200},
		{"the scheme has no case", auth("bEARER " + value), "", 200},
		{"several spaces may follow the scheme", auth("Bearer   " + value), "", 200},
		{"a body of white space names none", auth(bearing), " \r\n\t", 200},
		{"an empty object names none", auth(bearing), "{}", 200},
		{"an empty token names none", auth(bearing), `{"token":""}`, 200},
		{"an unknown field alone names none", auth(bearing), `{"Token":"zebra"}`, 200},
		{"a header that is no PAT is no token", auth(session), "{}", 400},
		{"a marker of other case is no PAT", auth("Bearer PAT_" + value[4:]), "{}", 400},
		{"another scheme is no token", auth("Basic " + value), "{}", 400},
		{"the value without scheme is no token", auth(value), "{}", 400},
		{"a scheme alone is no token", auth("Bearer "), "{}", 400},
		{"two headers with the same token are refused", auth(bearing, bearing), "", 400},
		{"two headers with different tokens are refused", auth(bearing, "Bearer "+other), "", 400},
		{"a session and a token in two headers are refused", auth(session, bearing), "", 400},

		{"no token at all", nil, "", 400},
		{"no token in an object", nil, "{}", 400},
		{"token null", auth(bearing), `{"token":null}`, 400},
		{"token a number", auth(bearing), `{"token":1}`, 400},
		{"token an array", auth(bearing), `{"token":["zebra"]}`, 400},
		{"token an object", auth(bearing), `{"token":{}}`, 400},
		{"token true", auth(bearing), `{"token":true}`, 400},
		{"a vertical tab, which is no white space to JSON", auth(bearing), "\v", 400},
		{"a number before the object", auth(bearing), "1" + body, 400},
		{"null", auth(bearing), `null`, 400},
		{"an array", auth(bearing), `[]`, 400},
		{"a string", auth(bearing), `"` + value + `"`, 400},
		{"a number", auth(bearing), `1`, 400},
		{"false", auth(bearing), `false`, 400},
		{"the value itself", auth(bearing), value, 400},
		{"trailing data", auth(bearing), body + `{}`, 400},
		{"trailing garbage", auth(bearing), body + `zebra`, 400},
		{"a NUL behind", auth(bearing), body + "\x00", 400},
		{"cut off", auth(bearing), `{"token":"` + value, 400},
		{"a duplicate name", auth(bearing), `{"token":"` + value + `","token":"` + value + `"}`, 400},
		{"an escaped duplicate name", auth(bearing), `{"token":"` + value + `","\u0074oken":"` + value + `"}`, 400},
		{"a duplicate unknown name", auth(bearing), `{"token":"` + value + `","a":1,"a":2}`, 400},
		{"a duplicate deep inside", auth(bearing), `{"token":"` + value + `","a":[{"b":1,"b":2}]}`, 400},
		{"invalid UTF-8", auth(bearing), `{"token":"` + value + `","a":"` + "\xff" + `"}`, 400},
		{"invalid UTF-8 in a name", auth(bearing), `{"token":"` + value + `","` + "\xff" + `":1}`, 400},
		{"a lone surrogate", auth(bearing), `{"token":"` + value + `","a":"\udc00"}`, 400},
		{"a byte order mark", auth(bearing), "\ufeff" + body, 400},
		{"a form", auth(bearing), "token=" + value, 400},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			got := h.verify(c.header, c.body)
			assert.Equal(t, c.status, got.status, got.body)
			assert.NotContains(t, got.body, "zebra")
			assert.NotContains(t, got.body, value)
			if c.status == 400 {
				assert.Equal(t, "invalid_request", got.code())
			}
		})
	}
}

func TestVerifyDoesNotLookAtTheContentType(t *testing.T) {
	h := newHost(t)
	_, value := h.issue(pat.CreateParams{})
	for _, contentType := range []string{"", "application/json", "application/json; charset=utf-8", "text/plain", "zebra"} {
		header := http.Header{}
		if contentType != "" {
			header.Set("Content-Type", contentType)
		}
		assert.Equal(t, http.StatusOK, h.verify(header, `{"token":"`+value+`"}`).status)
		header.Set("Authorization", "Bearer "+value)
		assert.Equal(t, http.StatusOK, h.verify(header, "").status)
	}
}

func TestVerifyNeverLooksAtTheQueryString(t *testing.T) {
	h := newHost(t)
	_, value := h.issue(pat.CreateParams{})
	for _, query := range []string{"token=" + value, "access_token=" + value, "Authorization=Bearer+" + value, "%zz;"} {
		assertBadRequest(t, h.do(http.MethodPost, base+"/pats/verify?"+query, nil, "{}"))
		got := h.do(http.MethodPost, base+"/pats/verify?"+query, nil, `{"token":"`+value+`"}`)
		assert.Equal(t, http.StatusOK, got.status)
	}
}

func TestARequestWithoutBodyReaderHasNoBody(t *testing.T) {
	h := newHost(t)
	r := httptest.NewRequest(http.MethodPost, base+"/pats/verify", http.NoBody)
	r.Body = nil
	assertBadRequest(t, serve(t, h.handler, r))
}

func TestOnlyWhoSendsAWholeValueLearnsThatItsTokenHasEnded(t *testing.T) {
	gone := false
	h := newHost(t, func(s *settings) {
		s.pat.OwnerActive = func(context.Context, string, string) (bool, error) { return !gone, nil }
	})
	_, value := h.issue(pat.CreateParams{})
	_, expired := h.issue(pat.CreateParams{Lifetime: time.Hour})
	tok, revoked := h.issue(pat.CreateParams{})
	_, err := h.issuer.Revoke(t.Context(), tok.ID)
	require.NoError(t, err)
	h.clock.Add(2 * time.Hour)
	verify := func(presented string) answer { return h.verify(nil, `{"token":"`+presented+`"}`) }
	for presented, code := range map[string]string{
		expired: "token_expired", revoked: "token_revoked", wrongSecret(tok.Prefix): "invalid_token", " ": "invalid_token", `\u0000`: "invalid_token",
	} {
		got := verify(presented)
		assert.Equal(t, http.StatusUnauthorized, got.status)
		assert.Equal(t, code, got.code())
		assert.Equal(t, `Bearer realm="pat", error="invalid_token"`, got.header.Get("WWW-Authenticate"))
	}
	require.Equal(t, http.StatusOK, verify(value).status)
	gone = true
	assert.Equal(t, verify(wrongSecret(tok.Prefix)), verify(value), "not even they learn that the owner is gone")
}

// wrongSecret makes a well-formed value with a prefix that was issued and a secret that was not.
func wrongSecret(prefix string) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	text := "pat_" + prefix + "-" + strings.Repeat("0", 32)
	sum := crc32.ChecksumIEEE([]byte(text))
	digits := make([]byte, 6)
	for i := 5; i >= 0; i-- {
		digits[i] = alphabet[sum%62]
		sum /= 62
	}
	return text + string(digits)
}

func TestVerifyTakesTokensOfAnOlderSystemFromTheBody(t *testing.T) {
	h := newHost(t, func(s *settings) {
		s.pat.Imported = pat.Imported{
			LookupKey: func(value string) (string, bool) {
				key, _, ok := strings.Cut(value, "|")
				return key, ok
			},
			Hashers: []pat.Hasher{plainHasher{}},
		}
	})
	_, err := h.issuer.Import(t.Context(), pat.ImportParams{
		LookupKey: "17", Algorithm: "plain", Digest: "17|zebra", UserID: "alice", GroupID: "1", Name: "old",
		CreatedAt: start, ExpiresAt: start.Add(time.Hour),
	})
	require.NoError(t, err)
	_, value := h.issue(pat.CreateParams{})
	got := h.verify(nil, `{"token":"17|zebra"}`)
	require.Equal(t, http.StatusOK, got.status, got.body)
	assert.Equal(t, "17", got.object(t)["tokenPrefix"])
	assert.Equal(t, http.StatusOK, h.verify(bearer(value), `{"token":"17|zebra"}`).status, "the body's token counts")
	assertBadRequest(t, h.verify(bearer("17|zebra"), ""))
}

// plainHasher is a hasher for tests: the digest is the value.
type plainHasher struct{}

func (plainHasher) Algorithm() string                         { return "plain" }
func (plainHasher) Check(string) error                        { return nil }
func (plainHasher) Match(encoded, value string) (bool, error) { return encoded == value, nil }

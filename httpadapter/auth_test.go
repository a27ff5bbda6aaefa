package httpadapter_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
)

// managed are the requests that need the host's credential.
var managed = []struct{ method, path, body string }{
	{http.MethodGet, base + "/pats?groupId=1", ""},
	{http.MethodPost, base + "/pats", `{"name":"ci","groupId":1}`},
	{http.MethodDelete, base + "/pats/" + unknownID, ""},
}

func TestListCreateAndDeleteNeedOneBearerCredential(t *testing.T) {
	h := newHost(t)
	for _, c := range []struct {
		sentence  string
		header    []string
		status    int
		code      string
		challenge string
	}{
		{"no header", nil, 401, "unauthenticated", `Bearer realm="pat"`},
		{"an empty header", []string{""}, 401, "unauthenticated", `Bearer realm="pat"`},
		{"another scheme", []string{"Basic YTpi"}, 401, "unauthenticated", `Bearer realm="pat"`},
		{"a credential without scheme", []string{alice}, 401, "unauthenticated", `Bearer realm="pat"`},
		{"a scheme alone", []string{"Bearer"}, 401, "unauthenticated", `Bearer realm="pat"`},
		{"a scheme and spaces", []string{"Bearer   "}, 401, "unauthenticated", `Bearer realm="pat"`},
		{"a scheme that only begins so", []string{"Bearers " + alice}, 401, "unauthenticated", `Bearer realm="pat"`},
		{"a tab behind the scheme", []string{"Bearer\t" + alice}, 401, "unauthenticated", `Bearer realm="pat"`},
		{"a credential that the host refuses", []string{"Bearer zebra"}, 401, "invalid_token", `Bearer realm="pat", error="invalid_token"`},
		{"two words", []string{"Bearer " + alice + " zebra"}, 401, "invalid_token", `Bearer realm="pat", error="invalid_token"`},
		{"two credentials in a line", []string{"Bearer " + alice + ", Bearer " + alice}, 401, "invalid_token", `Bearer realm="pat", error="invalid_token"`},
		{"a quoted credential", []string{`Bearer "` + alice + `"`}, 401, "invalid_token", `Bearer realm="pat", error="invalid_token"`},
		{"padding alone", []string{"Bearer =="}, 401, "invalid_token", `Bearer realm="pat", error="invalid_token"`},
		{"padding in the middle", []string{"Bearer a=b"}, 401, "invalid_token", `Bearer realm="pat", error="invalid_token"`},
		{"text beyond ASCII", []string{"Bearer zebr\u00e4"}, 401, "invalid_token", `Bearer realm="pat", error="invalid_token"`},
		{"two headers", []string{"Bearer " + alice, "Bearer " + alice}, 400, "invalid_request", `Bearer realm="pat", error="invalid_request"`},
		{"two headers of two schemes", []string{"Basic YTpi", "Bearer " + alice}, 400, "invalid_request", `Bearer realm="pat", error="invalid_request"`},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			for _, m := range managed {
				got := h.do(m.method, m.path, http.Header{"Authorization": c.header}, m.body)
				assert.Equal(t, c.status, got.status)
				assert.Equal(t, c.code, got.code())
				assert.Equal(t, c.challenge, got.header.Get("WWW-Authenticate"))
				assert.NotContains(t, got.body, "zebra")
			}
		})
	}
	assert.Empty(t, h.asked)
	assert.Empty(t, h.reports)
}

// A host whose one function takes sessions and tokens alike must not let an imported token manage tokens either.
func TestAnImportedPATDoesNotManagePATs(t *testing.T) {
	asked := 0
	h := newHost(t, func(s *settings) {
		s.pat.Imported = pat.Imported{
			LookupKey: func(value string) (string, bool) {
				key, _, found := strings.Cut(strings.TrimPrefix(value, "old."), ".")
				return key, found && strings.HasPrefix(value, "old.")
			},
			Hashers: []pat.Hasher{pat.Bcrypt()},
		}
		s.adapter.Authenticate = func(*http.Request) (httpadapter.Caller, error) {
			asked++
			return httpadapter.Caller{UserID: "alice"}, nil
		}
	})
	for _, m := range managed {
		got := h.do(m.method, m.path, bearer("old.k1.secret"), m.body)
		assert.Equal(t, http.StatusUnauthorized, got.status)
		assert.Equal(t, "invalid_token", got.code())
	}
	assert.Zero(t, asked)
	assert.Equal(t, http.StatusOK, h.do(http.MethodGet, managed[0].path, bearer("a-session"), "").status)
}

func TestTheSchemeHasNoCaseAndAnyToken68IsHandedToTheHost(t *testing.T) {
	var seen string
	h := newHost(t, func(s *settings) {
		s.adapter.Authenticate = func(r *http.Request) (httpadapter.Caller, error) {
			seen = r.Header.Get("Authorization")
			return httpadapter.Caller{UserID: "alice"}, nil
		}
	})
	for _, header := range []string{"Bearer aZ09-._~+/==", "bearer x", "BEARER   x"} {
		got := h.do(http.MethodGet, base+"/pats?groupId=1", http.Header{"Authorization": {header}}, "")
		assert.Equal(t, http.StatusOK, got.status)
		assert.Equal(t, header, seen)
	}
}

func TestACredentialThatIsNoToken68IsNotHandedToTheHost(t *testing.T) {
	h := newHost(t, func(s *settings) {
		s.adapter.Authenticate = func(*http.Request) (httpadapter.Caller, error) {
			return httpadapter.Caller{UserID: "alice"}, nil
		}
	})
	for _, credential := range []string{"a b", "a,b", `"a"`, "=", "==", "a=b", "=a", "a\tb", "a;b", "a|b", "\u00e4", "a@b", "a[b", "a`b", "a{b", "a:b"} {
		assert.Equal(t, http.StatusUnauthorized, h.list(credential, "groupId=1").status, credential)
	}
}

func TestWhoAsksComesBeforeWhatIsAsked(t *testing.T) {
	h := newHost(t)
	for _, r := range []struct{ method, path, body string }{
		{http.MethodGet, base + "/pats?groupId=zebra", ""},
		{http.MethodPost, base + "/pats", "zebra"},
		{http.MethodDelete, base + "/pats/zebra", ""},
	} {
		assert.Equal(t, http.StatusUnauthorized, h.do(r.method, r.path, nil, r.body).status)
		assert.Equal(t, http.StatusBadRequest, h.do(r.method, r.path, bearer(carol), r.body).status)
	}
}

func TestTheHostDecidesPerCallFromCallerActionAndGroup(t *testing.T) {
	h := newHost(t)
	h.issue(pat.CreateParams{GroupID: "2"})
	for _, c := range []struct {
		caller, group string
		list, create  int
		code          string
	}{
		{alice, "1", 200, 201, ""},
		{alice, "2", 200, 201, ""},
		{bob, "2", 200, 403, "forbidden"},
		{bob, "1", 403, 403, "forbidden"},
		{carol, "2", 403, 403, "forbidden"},
		{alice, "3", 403, 403, "forbidden"},
		{alice, "999", 404, 404, "not_found"},
		{carol, "999", 404, 404, "not_found"},
	} {
		t.Run(fmt.Sprintf("%s in group %s", c.caller, c.group), func(t *testing.T) {
			listed := h.list(c.caller, "groupId="+c.group)
			assert.Equal(t, c.list, listed.status)
			before, err := h.issuer.List(t.Context(), pat.ListParams{GroupID: c.group})
			require.NoError(t, err)
			created := h.create(c.caller, `{"name":"ci","groupId":`+c.group+`}`)
			assert.Equal(t, c.create, created.status)
			assert.Equal(t, c.code, created.code())
			after, err := h.issuer.List(t.Context(), pat.ListParams{GroupID: c.group})
			require.NoError(t, err)
			if c.create != 201 {
				assert.Len(t, after.Tokens, len(before.Tokens), "nothing is stored")
			}
		})
	}
	assert.Equal(t, question{
		caller: httpadapter.Caller{UserID: "alice", Value: alice}, action: httpadapter.ActionList, target: httpadapter.Target{GroupID: "1"},
	}, h.asked[0])
	assert.Equal(t, question{
		caller: httpadapter.Caller{UserID: "alice", Value: alice}, action: httpadapter.ActionCreate, target: httpadapter.Target{GroupID: "1"},
	}, h.asked[1])
}

func TestWrappedAnswersOfTheHostCountToo(t *testing.T) {
	h := newHost(t, func(s *settings) {
		s.adapter.Authenticate = func(*http.Request) (httpadapter.Caller, error) {
			return httpadapter.Caller{UserID: "alice"}, fmt.Errorf("session: %w", httpadapter.ErrUnauthenticated)
		}
	})
	assert.Equal(t, "invalid_token", h.list(alice, "groupId=1").code())
}

func TestAPATDoesNotManagePATs(t *testing.T) {
	h := newHost(t)
	tok, value := h.issue(pat.CreateParams{Scopes: []string{pat.ScopeFull}})
	for _, credential := range []string{value, "pat_zebra", "pat_"} {
		for _, m := range managed {
			got := h.do(m.method, m.path, bearer(credential), m.body)
			assert.Equal(t, http.StatusUnauthorized, got.status)
			assert.Equal(t, "invalid_token", got.code())
			assert.Equal(t, `Bearer realm="pat", error="invalid_token"`, got.header.Get("WWW-Authenticate"))
		}
	}
	assert.Equal(t, http.StatusUnauthorized, h.delete(value, tok.ID).status)
	assert.False(t, h.stored(tok.ID).Revoked())
}

func TestNoSpellingOfTheHeaderGetsAPATPast(t *testing.T) {
	asked := false
	h := newHost(t, func(s *settings) {
		s.adapter.Authenticate = func(*http.Request) (httpadapter.Caller, error) {
			asked = true
			return httpadapter.Caller{UserID: "alice"}, nil // a host that takes anything
		}
	})
	_, value := h.issue(pat.CreateParams{Scopes: []string{pat.ScopeFull}})
	for sentence, header := range map[string]string{
		"several spaces":                   "Bearer   " + value,
		"spaces behind it":                 "Bearer " + value + "  ",
		"the scheme in lower case":         "bearer " + value,
		"a tab":                            "Bearer\t" + value,
		"a space and a tab":                "Bearer \t" + value,
		"a tab and a space":                "Bearer\t " + value,
		"a tab behind it":                  "Bearer " + value + "\t",
		"a space before the scheme":        " Bearer " + value,
		"a tab before the scheme":          "\tBearer " + value,
		"a line feed":                      "Bearer \n" + value,
		"a vertical tab":                   "Bearer \v" + value,
		"a non-breaking space":             "Bearer \u00a0" + value,
		"a zero width space":               "Bearer \u200b" + value,
		"a byte order mark":                "Bearer \ufeff" + value,
		"a NUL":                            "Bearer \x00" + value,
		"the scheme twice":                 "Bearer bearer " + value,
		"padding behind it":                "Bearer " + value + "==",
		"quotes":                           `Bearer "` + value + `"`,
		"another credential in front":      "Bearer " + alice + " " + value,
		"a comma in front":                 "Bearer ," + value,
		"the parameter form of the scheme": "Bearer token=" + value,
	} {
		t.Run(sentence, func(t *testing.T) {
			for _, m := range managed {
				got := h.do(m.method, m.path, http.Header{"Authorization": {header}}, m.body)
				assert.Equal(t, http.StatusUnauthorized, got.status)
			}
		})
	}
	assert.False(t, asked, "the host was asked about a token")
}

func TestARequestThatPassedRequireTokenDoesNotManagePATs(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		h := newHost(t, func(s *settings) {
			s.adapter.InsecureAllowPATs = allowed
			s.adapter.Authenticate = func(*http.Request) (httpadapter.Caller, error) {
				return httpadapter.Caller{UserID: "alice"}, nil // as a host that reads TokenFrom
			}
			s.pat.Imported = pat.Imported{
				LookupKey: func(string) (string, bool) { return "old", true },
				Hashers:   []pat.Hasher{plainHasher{}},
			}
		})
		_, err := h.issuer.Import(t.Context(), pat.ImportParams{
			LookupKey: "old", Algorithm: "plain", Digest: "an-old-token", UserID: "alice", GroupID: "1", Name: "old",
			CreatedAt: start, ExpiresAt: start.AddDate(1, 0, 0),
		})
		require.NoError(t, err)
		r := httptest.NewRequest(http.MethodGet, base+"/pats?groupId=1", http.NoBody)
		r.Header = bearer("an-old-token")
		got := serve(t, httpadapter.RequireToken(h.verifier)(h.handler), r)
		if allowed {
			assert.Equal(t, http.StatusOK, got.status)
		} else {
			assert.Equal(t, http.StatusUnauthorized, got.status)
			assert.Equal(t, "invalid_token", got.code())
		}
	}
}

func TestAHostCanDeliberatelyLetPATsManagePATs(t *testing.T) {
	h := newHost(t, func(s *settings) { s.adapter.InsecureAllowPATs = true })
	_, value := h.issue(pat.CreateParams{})
	assert.Equal(t, http.StatusOK, h.list(value, "groupId=1").status)
	assert.Equal(t, http.StatusCreated, h.create(value, `{"name":"ci","groupId":1}`).status)
}

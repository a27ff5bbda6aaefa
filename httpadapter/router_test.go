package httpadapter_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/patkit/pat"
)

func TestAnotherMethodIsNotAllowed(t *testing.T) {
	h := newHost(t)
	for path, allow := range map[string]string{
		"/pats":              "GET, POST",
		"/pats/verify":       "POST",
		"/pats/" + unknownID: "DELETE",
		"/pats/zebra":        "DELETE",
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "ZEBRA"} {
			if strings.Contains(allow, method) {
				continue
			}
			t.Run(method+" "+path, func(t *testing.T) {
				r := httptest.NewRequest(http.MethodGet, base+path, http.NoBody)
				r.Method = method
				got := serve(t, h.handler, r)
				assert.Equal(t, http.StatusMethodNotAllowed, got.status, "before anybody asks who it is")
				assert.Equal(t, "method_not_allowed", got.code())
				assert.Equal(t, allow, got.header.Get("Allow"))
				assert.NotContains(t, got.body, "ebra")
			})
		}
	}
}

func TestAnyOtherPathIsNotFound(t *testing.T) {
	h := newHost(t)
	for _, path := range []string{
		"/", base, base + "/", base + "/pats/", base + "/patsy", base + "/pats/verify/", base + "/pats//verify",
		base + "//pats", "/" + base + "/pats", base + "/PATS", base + "/pats/" + unknownID + "/", base + "/pats/a/b",
		base + "/pats/..", base + "/pats/.", base + "/pats/%2e%2e", base + "/pats%2Fverify", base + "/pats%2fverify", base + "/pats/a%2Fb",
		base + "%2Fpats", "/pats", "/v2" + base + "/pats", base + "/pats;x=1", base + "/pats%00", base + "/pats%20", base + "/zebra",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
			t.Run(method+" "+path, func(t *testing.T) {
				got := h.do(method, path, bearer(alice), "")
				assert.Equal(t, http.StatusNotFound, got.status)
				assert.Equal(t, "not_found", got.code())
				assert.NotContains(t, got.body, "ebra")
			})
		}
	}
	for _, path := range []string{"*", ""} {
		r := httptest.NewRequest(http.MethodOptions, "/", http.NoBody)
		r.URL = &url.URL{Path: path}
		assert.Equal(t, http.StatusNotFound, serve(t, h.handler, r).status)
	}
}

func TestAnEscapedLetterIsTheSameLetter(t *testing.T) {
	assert.Equal(t, http.StatusOK, newHost(t).do(http.MethodGet, base+"/p%61ts?groupId=1", bearer(alice), "").status)
}

func TestItAnswersWhereverItIsMounted(t *testing.T) {
	mount := func(pattern string, prefix string) func(http.Handler) http.Handler {
		return func(h http.Handler) http.Handler {
			mux := http.NewServeMux()
			mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
			if prefix != "" {
				h = http.StripPrefix(prefix, h)
			}
			mux.Handle(pattern, h)
			return mux
		}
	}
	for _, c := range []struct {
		sentence string
		base     string
		mount    func(http.Handler) http.Handler
		path     string // what clients ask for, before /pats
	}{
		{"alone", "", func(h http.Handler) http.Handler { return h }, base},
		{"at the root of a mux", "", mount("/", ""), base},
		{"at its own path of a mux", "", mount(base+"/", ""), base},
		{"under another base path", "/api/v2", mount("/api/v2/", ""), "/api/v2"},
		{"under the root as base path", "/", mount("/", ""), ""},
		{"behind StripPrefix with the default base path", "", mount("/prefix/", "/prefix"), "/prefix" + base},
		{"behind StripPrefix with another base path", "/tokens", mount("/a/b/", "/a/b"), "/a/b/tokens"},
		{"behind StripPrefix with the root as base path", "/", mount("/prefix/", "/prefix"), "/prefix"},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			h := newHost(t, func(s *settings) { s.adapter.BasePath = c.base })
			server := httptest.NewServer(c.mount(h.handler))
			defer server.Close()
			ask := func(method, path, credential, body string) answer {
				r, err := http.NewRequest(method, server.URL+path, strings.NewReader(body))
				if !assert.NoError(t, err) {
					return answer{}
				}
				r.Header = bearer(credential)
				return fetch(t, r)
			}
			created := ask(http.MethodPost, c.path+"/pats", alice, `{"name":"ci","groupId":1}`)
			assert.Equal(t, http.StatusCreated, created.status)
			assert.Equal(t, http.StatusOK, ask(http.MethodGet, c.path+"/pats?groupId=1", alice, "").status)
			tok, value := h.issue(pat.CreateParams{})
			assert.Equal(t, http.StatusOK, ask(http.MethodPost, c.path+"/pats/verify", "", `{"token":"`+value+`"}`).status)
			got := ask(http.MethodDelete, c.path+"/pats/"+tok.ID, alice, "")
			assert.Equal(t, http.StatusNoContent, got.status)
			assert.Equal(t, "no-store", got.header.Get("Cache-Control"))
			assert.Empty(t, got.body)
			got = ask(http.MethodPut, c.path+"/pats/verify", alice, "")
			assert.Equal(t, http.StatusMethodNotAllowed, got.status)
			assert.Equal(t, "POST", got.header.Get("Allow"))
		})
	}
}

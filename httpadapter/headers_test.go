package httpadapter_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
)

// Headers that proxies set are as much the client's as the rest of the request, unless the host knows better.
func TestForwardedHeadersChangeNothing(t *testing.T) {
	h := newHost(t)
	table, err := httpadapter.NewRouteTable(pat.ScopeFull, httpadapter.Route{Path: "/open", Scope: pat.ScopePublic})
	require.NoError(t, err)
	g := guard(h.verifier, httpadapter.RequireRouteScope(table))
	tok, value := h.issue(pat.CreateParams{})
	for range 2 {
		h.issue(pat.CreateParams{})
	}
	for name, text := range map[string]string{
		"X-Forwarded-For": "127.0.0.1", "X-Real-Ip": "127.0.0.1", "Forwarded": `for=127.0.0.1;host="evil.example"`,
		"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/evil",
		"X-Original-Url": "/open", "X-Rewrite-Url": "/open", "X-Forwarded-Uri": "/open",
		"X-Http-Method-Override": http.MethodDelete, "X-Method-Override": http.MethodDelete,
		"X-User-Id": "alice", "X-Forwarded-User": "alice", "X-Remote-User": "alice", "Remote-User": "alice",
		"X-Forwarded-Access-Token": value, "X-Api-Key": value, "Private-Token": value, "Proxy-Authorization": "Bearer " + value,
		"Cookie": "access_token=" + value,
	} {
		t.Run(name, func(t *testing.T) {
			with := func(method, target, credential string) *http.Request {
				r := httptest.NewRequest(method, target, http.NoBody)
				r.Header = bearer(credential)
				r.Header.Set(name, text)
				return r
			}
			for _, credential := range []string{"", alice, bob} {
				for _, target := range []string{base + "/pats?groupId=1", base + "/pats?groupId=1&limit=1", base + "/pats/" + tok.ID} {
					want := h.do(http.MethodGet, target, bearer(credential), "")
					assert.Equal(t, want, serve(t, h.handler, with(http.MethodGet, target, credential)))
				}
			}
			assertBadRequest(t, serve(t, h.handler, with(http.MethodPost, base+"/pats/verify", "")))
			assert.Equal(t, http.StatusUnauthorized, serve(t, g, with(http.MethodGet, "/open", "")).status)
			assert.Equal(t, http.StatusForbidden, serve(t, g, with(http.MethodGet, "/closed", value)).status)
		})
	}
	assert.False(t, h.stored(tok.ID).Revoked())
}

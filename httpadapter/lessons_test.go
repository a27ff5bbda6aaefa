package httpadapter_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
)

// Each test here is about a public advisory on somebody else's tokens or logins, and asserts that its flaw is not in
// this library. The root package has those that are not about HTTP, lessons_leak_test.go those about what gets out.

// GHSA-683j-3ff6-hh2x, Gitea: a token sent as the user name of HTTP Basic passed for a password on the route that
// makes tokens, and could make one of any scope.
func TestGHSA_683j_3ff6_hh2x_ATokenDoesNotManageTokens(t *testing.T) {
	asked := 0
	h := newHost(t, func(s *settings) {
		s.adapter.Authenticate = func(*http.Request) (httpadapter.Caller, error) {
			asked++
			return httpadapter.Caller{UserID: "alice"}, nil // a host whose one function takes sessions and tokens alike
		}
	})
	leaked, value := h.issue(pat.CreateParams{})
	basic := func(user, password string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	}
	for sentence, header := range map[string]string{
		"as a bearer":                     "Bearer " + value,
		"as the user name of HTTP Basic":  basic(value, "x-oauth-basic"),
		"as the user name, alone":         basic(value, ""),
		"as the password of HTTP Basic":   basic("alice", value),
		"under the scheme of some forges": "token " + value,
	} {
		t.Run(sentence, func(t *testing.T) {
			as := http.Header{"Authorization": {header}}
			got := h.do(http.MethodPost, base+"/pats", as, `{"name":"ci","groupId":1,"scopes":["full_scope"]}`)
			assert.Equal(t, http.StatusUnauthorized, got.status)
			assert.Equal(t, http.StatusUnauthorized, h.do(http.MethodGet, base+"/pats?groupId=1", as, "").status)
			assert.Equal(t, http.StatusUnauthorized, h.do(http.MethodDelete, base+"/pats/"+leaked.ID, as, "").status)
		})
	}
	assert.Zero(t, asked, "the host is not even asked")
	page, err := h.issuer.List(t.Context(), pat.ListParams{GroupID: "1"})
	require.NoError(t, err)
	assert.Equal(t, []pat.Token{leaked}, page.Tokens)
}

// CVE-2023-1387, Grafana: a token was taken from the query string, and went on with it to whoever stood behind.
func TestCVE_2023_1387_ATokenInTheQueryOpensNoGuardedRoute(t *testing.T) {
	h := newHost(t)
	_, value := h.issue(pat.CreateParams{})
	protected := httpadapter.RequireToken(h.verifier)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		assert.Fail(t, "the guarded handler was reached")
	}))
	for _, name := range []string{"auth_token", "access_token", "token", "jwt", "authorization", "Authorization", "bearer"} {
		r := httptest.NewRequest(http.MethodGet, "/reports?"+name+"="+value, http.NoBody)
		got := serve(t, protected, r)
		assert.Equal(t, http.StatusUnauthorized, got.status)
		assert.Equal(t, "unauthenticated", got.code(), "it counts as no credential, not as a wrong one")
	}
}

// GHSA-x9p5-w45c-7ffc, Gogs: the API took tokens from the URL, before it looked at the header, and so into logs,
// histories and referrers.
func TestGHSA_x9p5_w45c_7ffc_NoCredentialIsTakenFromTheURL(t *testing.T) {
	h := newHost(t)
	_, value := h.issue(pat.CreateParams{})
	_, other := h.issue(pat.CreateParams{GroupID: "2"})
	for _, name := range []string{"token", "access_token"} {
		assertBadRequest(t, h.do(http.MethodPost, base+"/pats/verify?"+name+"="+value, nil, ""))
		got := h.do(http.MethodPost, base+"/pats/verify?"+name+"="+value, bearer(other), "")
		assert.EqualValues(t, 2, got.object(t)["groupId"], "the header counts, whatever the URL says")
		for _, m := range managed {
			r := httptest.NewRequest(m.method, m.path, http.NoBody)
			r.URL.RawQuery += "&" + name + "=" + alice
			assert.Equal(t, "unauthenticated", serve(t, h.handler, r).code())
		}
	}
	assert.Equal(t, http.StatusNotFound, h.do(http.MethodPost, base+"/pats/verify/"+value, nil, "").status)
}

// CVE-2025-61928, better-auth: a request without a session, but with a user's id in its body, counted as that user's,
// and got a key.
func TestCVE_2025_61928_TheOwnerIsNotTakenFromTheBody(t *testing.T) {
	h := newHost(t)
	const body = `{"name":"ci","groupId":1,"userId":"victim","user":{"id":"victim"},"owner":"victim","UserID":"victim"}`
	for _, credential := range []string{"", "zebra"} {
		assert.Equal(t, http.StatusUnauthorized, h.create(credential, body).status)
	}
	assert.Empty(t, h.asked)
	assert.Equal(t, "alice", h.create(alice, body).object(t)["userId"])
	page, err := h.issuer.List(t.Context(), pat.ListParams{UserID: "victim"})
	require.NoError(t, err)
	assert.Empty(t, page.Tokens)
}

// CVE-2026-42227, n8n: whoever had a key with the right scope could read what belonged to any project, by naming the
// project in the query.
func TestCVE_2026_42227_AListShowsNoOtherGroup(t *testing.T) {
	h := newHost(t)
	for range 3 {
		h.issue(pat.CreateParams{GroupID: "1", Name: "zebra"})
		h.issue(pat.CreateParams{GroupID: "2"})
	}
	page, err := h.issuer.List(t.Context(), pat.ListParams{GroupID: "1", Limit: 1})
	require.NoError(t, err)
	cursor := page.NextCursor
	require.NotEmpty(t, cursor)
	for query, status := range map[string]int{
		"groupId=1": 403, "groupId=1&includeRevoked=true": 403, "groupId=1&limit=1&cursor=" + cursor: 403,
		"groupId=2&groupId=1": 400, "groupId=1&groupId=2": 400, "groupId=2,1": 400, "groupId[]=1": 400,
		"groupId=2": 200, "groupId=2&groupid=1": 200, "groupId=2&projectId=1": 200,
		"groupId=2&limit=1000&cursor=" + cursor: 200, // another group's position is a position, and no more
	} {
		t.Run(query, func(t *testing.T) {
			got := h.list(bob, query)
			assert.Equal(t, status, got.status)
			assert.NotContains(t, got.body, "zebra")
			if status == http.StatusOK {
				for _, row := range got.rows(t) {
					assert.EqualValues(t, 2, row["groupId"])
				}
			}
		})
	}
}

// CVE-2022-31667, Harbor: whoever named the id of a robot account could take its permissions away, whichever project it
// was in.
func TestCVE_2022_31667_AnotherGroupsTokenIsNotRevoked(t *testing.T) {
	h := newHost(t)
	victim, value := h.issue(pat.CreateParams{GroupID: "3"})
	unknown := h.delete(alice, unknownID)
	for _, claim := range []string{"", "?groupId=1", "?groupId=3"} {
		got := h.do(http.MethodDelete, base+"/pats/"+victim.ID+claim, bearer(alice), `{"groupId":1,"name":"`+victim.Name+`"}`)
		assert.Equal(t, unknown, got, "byte for byte what an id gets that does not exist")
	}
	for _, q := range h.asked {
		assert.Equal(t, "3", q.target.GroupID, "the host is asked about the group that the token is in")
	}
	assert.NotEmpty(t, h.asked)
	_, err := h.verifier.Verify(t.Context(), value)
	require.NoError(t, err)
}

// CVE-2026-25700, Apache Answer: an administrator's token went on working after the account was suspended or deleted.
func TestCVE_2026_25700_ADeletedOwnersTokenOpensNothing(t *testing.T) {
	gone := false
	h := newHost(t, func(s *settings) {
		s.pat.OwnerActive = func(context.Context, string, string) (bool, error) { return !gone, nil }
	})
	_, value := h.issue(pat.CreateParams{Scopes: []string{pat.ScopeFull}})
	g := guard(h.verifier, httpadapter.RequireScope(pat.ScopeFull))
	require.Equal(t, http.StatusAccepted, g.ask(t, http.MethodGet, "/admin", bearer(value)).status)
	gone = true
	unknown := wrongSecret("000000000000")
	assert.Equal(t, g.ask(t, http.MethodGet, "/admin", bearer(unknown)), g.ask(t, http.MethodGet, "/admin", bearer(value)),
		"it gets what a made-up value gets")
	assert.Equal(t, h.verify(bearer(unknown), ""), h.verify(bearer(value), ""))
	assert.Equal(t, http.StatusUnauthorized, h.verify(bearer(value), "").status)
}

// GHSA-4mr2-fg2p-w63c, Traefik: where the secret of a guard could not be had, the route was served without the guard.
func TestGHSA_4mr2_fg2p_w63c_AGuardThatLacksSomethingLetsNothingPass(t *testing.T) {
	h := newHost(t, func(s *settings) {
		s.pat.PepperKeys = []pat.PepperKey{{ID: "k1", Key: pat.NewSecret(make([]byte, 32))}}
	})
	_, value := h.issue(pat.CreateParams{})
	withoutKey, err := pat.NewVerifier(h.store, pat.Config{Now: h.clock.Now, LastUsedInterval: -1})
	require.NoError(t, err)
	neverMade, err := pat.NewVerifier(h.store, pat.Config{PepperKeys: []pat.PepperKey{{ID: "k1"}}})
	require.Error(t, err)
	blind, err := pat.NewVerifier(h.store, pat.Config{
		Now:         h.clock.Now,
		PepperKeys:  []pat.PepperKey{{ID: "k1", Key: pat.NewSecret(make([]byte, 32))}},
		OwnerActive: func(context.Context, string, string) (bool, error) { return true, errFault },
	})
	require.NoError(t, err)
	for sentence, middleware := range map[string]func(http.Handler) http.Handler{
		"the key of the digest":         httpadapter.RequireToken(withoutKey),
		"a Verifier, as its key is bad": httpadapter.RequireToken(neverMade),
		"an answer about the owner":     httpadapter.RequireToken(blind),
		"a scope":                       httpadapter.RequireToken(h.verifier, httpadapter.RequireScope()),
		"a route table":                 httpadapter.RequireToken(h.verifier, httpadapter.RequireRouteScope(httpadapter.RouteTable{})),
	} {
		t.Run(sentence, func(t *testing.T) {
			protected := middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				assert.Fail(t, "the guarded handler was reached")
			}))
			r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
			r.Header = bearer(value)
			assert.Equal(t, http.StatusInternalServerError, serve(t, protected, r).status)
		})
	}
}

package httpadapter_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
	"github.com/patkit/pat/storetest"
)

// guarded is a handler of the host behind RequireToken, and what it saw.
type guarded struct {
	http.Handler
	tokens []pat.Token
}

func guard(v *pat.Verifier, opts ...httpadapter.Option) *guarded {
	g := &guarded{}
	g.Handler = httpadapter.RequireToken(v, opts...)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tok, ok := httpadapter.TokenFrom(r.Context())
		if ok {
			g.tokens = append(g.tokens, tok)
		}
		w.Header().Set("Cache-Control", "no-store") // as the checks of serve expect; the middleware adds nothing here
		w.WriteHeader(http.StatusAccepted)
	}))
	return g
}

func (g *guarded) ask(t *testing.T, method, target string, header http.Header) answer {
	t.Helper()
	r := httptest.NewRequest(method, target, http.NoBody)
	r.Header = header
	return serve(t, g, r)
}

func TestRequireTokenLetsAValidTokenPassAndHandsItOn(t *testing.T) {
	h := newHost(t)
	tok, value := h.issue(pat.CreateParams{})
	g := guard(h.verifier)
	assert.Equal(t, http.StatusAccepted, g.ask(t, http.MethodGet, "/", bearer(value)).status)
	assert.Equal(t, http.StatusAccepted, g.ask(t, http.MethodGet, "/", http.Header{"Authorization": {"bearer  " + value}}).status)
	assert.Equal(t, []pat.Token{tok, tok}, g.tokens)
}

func TestThePrintedContextOfARequestHoldsNothingOfItsToken(t *testing.T) {
	h := newHost(t)
	tok, value := h.issue(pat.CreateParams{})
	printed := ""
	handler := httpadapter.RequireToken(h.verifier)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		printed = fmt.Sprintf("%v %+v %s", r.Context(), r.Context(), context.WithoutCancel(r.Context()))
	}))
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.Header = bearer(value)
	handler.ServeHTTP(httptest.NewRecorder(), r)
	assert.Contains(t, printed, "RequireToken")
	for _, part := range []string{tok.ID, tok.UserID, tok.Name, tok.Prefix} {
		assert.NotContains(t, printed, part)
	}
}

func TestTokenFromFindsNothingOutsideRequireToken(t *testing.T) {
	tok, ok := httpadapter.TokenFrom(t.Context())
	assert.False(t, ok)
	assert.Zero(t, tok)
}

func TestRequireTokenRefusesWhatVerifyRefuses(t *testing.T) {
	h := newHost(t)
	tok, value := h.issue(pat.CreateParams{})
	_, expired := h.issue(pat.CreateParams{Lifetime: time.Hour})
	revoked, revokedValue := h.issue(pat.CreateParams{})
	_, err := h.issuer.Revoke(t.Context(), revoked.ID)
	require.NoError(t, err)
	h.clock.Add(2 * time.Hour)
	_, unknown := newHost(t).issue(pat.CreateParams{})
	g := guard(h.verifier)

	const none, invalid, repeated = `Bearer realm="pat"`, `Bearer realm="pat", error="invalid_token"`, `Bearer realm="pat", error="invalid_request"`
	for _, c := range []struct {
		sentence  string
		header    []string
		status    int
		code      string
		challenge string
	}{
		{"no header", nil, 401, "unauthenticated", none},
		{"another scheme", []string{"Basic " + value}, 401, "unauthenticated", none},
		{"a scheme alone", []string{"Bearer"}, 401, "unauthenticated", none},
		{"the value alone", []string{value}, 401, "unauthenticated", none},
		{"a session", []string{"Bearer " + alice}, 401, "invalid_token", invalid},
		{"a typo", []string{"Bearer " + value[:54] + "_"}, 401, "invalid_token", invalid},
		{"something behind", []string{"Bearer " + value + " zebra"}, 401, "invalid_token", invalid},
		{"a comma behind", []string{"Bearer " + value + ","}, 401, "invalid_token", invalid},
		{"a wrong secret", []string{"Bearer " + wrongSecret(tok.Prefix)}, 401, "invalid_token", invalid},
		{"an unknown prefix", []string{"Bearer " + unknown}, 401, "invalid_token", invalid},
		{"expired", []string{"Bearer " + expired}, 401, "token_expired", invalid},
		{"revoked", []string{"Bearer " + revokedValue}, 401, "token_revoked", invalid},
		{"two headers", []string{"Bearer " + value, "Bearer " + value}, 400, "invalid_request", repeated},
		{"a session and a token", []string{"Bearer " + alice, "Bearer " + value}, 400, "invalid_request", repeated},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			got := g.ask(t, http.MethodGet, "/", http.Header{"Authorization": c.header})
			assert.Equal(t, c.status, got.status)
			assert.Equal(t, c.code, got.code())
			assert.Equal(t, c.challenge, got.header.Get("WWW-Authenticate"))
		})
	}
	malformed := g.ask(t, http.MethodGet, "/", bearer("zebra"))
	assert.Equal(t, malformed, g.ask(t, http.MethodGet, "/", bearer(unknown)))
	assert.Equal(t, malformed, g.ask(t, http.MethodGet, "/", bearer(wrongSecret(tok.Prefix))))
	assert.Empty(t, g.tokens)
}

func TestRequireTokenNeverLooksAtTheQueryOrTheBody(t *testing.T) {
	h := newHost(t)
	_, value := h.issue(pat.CreateParams{})
	r := httptest.NewRequest(http.MethodPost, "/?access_token="+value+"&token="+value, strings.NewReader("access_token="+value))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	assert.Equal(t, http.StatusUnauthorized, serve(t, guard(h.verifier), r).status)
}

func TestRequireTokenTakesTokensOfAnOlderSystem(t *testing.T) {
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
		LookupKey: "17", Algorithm: "plain", Digest: "17|old", UserID: "alice", GroupID: "1", Name: "old",
		CreatedAt: start, ExpiresAt: start.Add(time.Hour),
	})
	require.NoError(t, err)
	assert.Equal(t, http.StatusAccepted, guard(h.verifier).ask(t, http.MethodGet, "/", bearer("17|old")).status)
	assert.Equal(t, http.StatusUnauthorized, guard(h.verifier).ask(t, http.MethodGet, "/", bearer("17|new")).status)
}

func TestRequireScopeAsksForEveryScope(t *testing.T) {
	h := newHost(t)
	_, public := h.issue(pat.CreateParams{})
	_, full := h.issue(pat.CreateParams{Scopes: []string{pat.ScopeFull}})

	g := guard(h.verifier, httpadapter.RequireScope(pat.ScopePublic))
	assert.Equal(t, http.StatusAccepted, g.ask(t, http.MethodGet, "/", bearer(public)).status)
	assert.Equal(t, http.StatusAccepted, g.ask(t, http.MethodGet, "/", bearer(full)).status, "full_scope implies public_scope")

	for scope, opts := range map[string][]httpadapter.Option{
		"full_scope":              {httpadapter.RequireScope(pat.ScopeFull)},
		"public_scope full_scope": {httpadapter.RequireScope(pat.ScopePublic, pat.ScopeFull)},
		"full_scope public_scope": {httpadapter.RequireScope(pat.ScopeFull), httpadapter.RequireScope(pat.ScopePublic)},
	} {
		g = guard(h.verifier, opts...)
		got := g.ask(t, http.MethodGet, "/", bearer(public))
		assert.Equal(t, http.StatusForbidden, got.status)
		assert.Equal(t, "insufficient_scope", got.code())
		assert.Equal(t, `Bearer realm="pat", error="insufficient_scope", scope="`+scope+`"`, got.header.Get("WWW-Authenticate"))
		assert.Empty(t, g.tokens)
		assert.Equal(t, http.StatusAccepted, g.ask(t, http.MethodGet, "/", bearer(full)).status)
	}
	unknown := guard(h.verifier, httpadapter.RequireScope("zebra"))
	assert.Equal(t, http.StatusForbidden, unknown.ask(t, http.MethodGet, "/", bearer(full)).status)
}

func TestRequireTokenAnswersAFaultWith500(t *testing.T) {
	for sentence, fault := range map[string]storetest.Fault{
		"the store is down":   storetest.Fail(errFault),
		"the store says no":   storetest.Fail(pat.ErrRevoked),
		"the store panics":    storetest.Panic(errFault),
		"the store times out": storetest.Fail(context.DeadlineExceeded),
	} {
		t.Run(sentence, func(t *testing.T) {
			h := newHost(t)
			_, value := h.issue(pat.CreateParams{})
			h.store.Inject(1, fault)
			g := guard(h.verifier, httpadapter.OnError(h.report))
			got := g.ask(t, http.MethodGet, "/", bearer(value))
			assert.Equal(t, http.StatusInternalServerError, got.status)
			assert.Equal(t, "internal_error", got.code())
			assert.Empty(t, g.tokens)
			assert.Len(t, h.reports, 1)
		})
	}
}

func TestAMisusedRequireTokenLetsNothingPass(t *testing.T) {
	h := newHost(t)
	_, value := h.issue(pat.CreateParams{Scopes: []string{pat.ScopeFull}})
	for sentence, c := range map[string]struct {
		verifier *pat.Verifier
		opt      httpadapter.Option
		argument string
	}{
		"a nil Verifier":      {nil, httpadapter.OnError(nil), "RequireToken"},
		"a nil option":        {h.verifier, nil, "RequireToken"},
		"no scope":            {h.verifier, httpadapter.RequireScope(), "RequireScope"},
		"an empty scope":      {h.verifier, httpadapter.RequireScope(""), "RequireScope"},
		"two scopes in one":   {h.verifier, httpadapter.RequireScope("a b"), "RequireScope"},
		"a zero route table":  {h.verifier, httpadapter.RequireRouteScope(httpadapter.RouteTable{}), "RequireRouteScope"},
		"an empty good start": {h.verifier, httpadapter.RequireScope(pat.ScopeFull, ""), "RequireScope"},
	} {
		t.Run(sentence, func(t *testing.T) {
			var reports []error
			g := guard(c.verifier, c.opt, httpadapter.OnError(func(_ *http.Request, err error) { reports = append(reports, err) }))
			assert.Equal(t, http.StatusInternalServerError, g.ask(t, http.MethodGet, "/", bearer(value)).status)
			assert.Equal(t, http.StatusInternalServerError, g.ask(t, http.MethodGet, "/", nil).status)
			assert.Empty(t, g.tokens)
			require.Len(t, reports, 2)
			assertNames(t, reports[0], c.argument)
		})
	}
	zero := guard(&pat.Verifier{})
	assert.Equal(t, http.StatusInternalServerError, zero.ask(t, http.MethodGet, "/", bearer(value)).status)

	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.Header = bearer(value)
	assert.Equal(t, http.StatusInternalServerError, serve(t, httpadapter.RequireToken(h.verifier)(nil), r).status)
}

func TestAPanicOfTheGuardedHandlerStaysTheHosts(t *testing.T) {
	h := newHost(t)
	_, value := h.issue(pat.CreateParams{})
	g := httpadapter.RequireToken(h.verifier)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("mine") }))
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.Header = bearer(value)
	assert.PanicsWithValue(t, "mine", func() { g.ServeHTTP(httptest.NewRecorder(), r) })
}

// profileRoutes is the route table of the reference deployment.
func profileRoutes(t *testing.T) httpadapter.RouteTable {
	t.Helper()
	table, err := httpadapter.NewRouteTable(pat.ScopeFull,
		httpadapter.Route{Method: http.MethodGet, Path: base + "/profile", Scope: pat.ScopePublic},
		httpadapter.Route{Path: base + "/profile/*", Scope: pat.ScopePublic},
	)
	require.NoError(t, err)
	return table
}

func TestTheRouteTableOfTheReferenceDeployment(t *testing.T) {
	h := newHost(t)
	_, public := h.issue(pat.CreateParams{})
	_, full := h.issue(pat.CreateParams{Scopes: []string{pat.ScopeFull}})
	g := guard(h.verifier, httpadapter.RequireRouteScope(profileRoutes(t)))
	profile := base + "/profile"
	for _, c := range []struct {
		method, path string
		listed       bool
	}{
		{"GET", profile, true},
		{"GET", profile + "?x=/../", true},
		{"HEAD", profile, false},
		{"POST", profile, false},
		{"get", profile, false},
		{"GET", profile + "/avatar", true},
		{"DELETE", profile + "/avatar", true},
		{"PUT", profile + "/avatar/large", true},
		{"GET", profile + "/avatar/", true},
		{"GET", profile + "/%61vatar", true},
		{"GET", profile + "/...", true},
		{"GET", profile + "/", false},
		{"GET", profile + "s", false},
		{"GET", "/v2" + profile, false},
		{"GET", strings.ToUpper(profile), false},
		{"GET", base, false},
		{"GET", "/", false},
		{"GET", profile + "/../admin", false},
		{"GET", profile + "/a/../../../admin", false},
		{"GET", profile + "/..", false},
		{"GET", profile + "/.", false},
		{"GET", profile + "/%2e%2e/admin", false},
		{"GET", profile + "/.%2E/admin", false},
		{"GET", profile + "//admin", false},
		{"GET", profile + "/a//", false},
		{"GET", "/" + profile, false},
		{"GET", profile + "/a%2Fb", false},
		{"GET", profile + "/a%2fb", false},
		{"GET", profile + "%2Fa", false},
		{"GET", profile + "/..%2Fadmin", false},
		{"GET", profile + "/%5c..%5cadmin", false},
		{"GET", profile + "/a%5Cb", false},
		{"GET", profile + "/%252e%252e/admin", false},
		{"GET", profile + "/..;/admin", false},
		{"GET", profile + "/a;b=c", false},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, c.path, http.NoBody)
			r.Method, r.Header = c.method, bearer(public)
			got := serve(t, g, r)
			if c.listed {
				assert.Equal(t, http.StatusAccepted, got.status)
			} else {
				assert.Equal(t, http.StatusForbidden, got.status)
				assert.Equal(t, `Bearer realm="pat", error="insufficient_scope", scope="full_scope"`, got.header.Get("WWW-Authenticate"))
			}
			r.Header = bearer(full)
			assert.Equal(t, http.StatusAccepted, serve(t, g, r).status)
		})
	}
}

func TestTheFirstRouteThatCoversARequestCounts(t *testing.T) {
	h := newHost(t, func(s *settings) { s.pat.Scopes = pat.ScopePolicy{} })
	routes := []httpadapter.Route{
		{Path: "/a/b", Scope: "one"},
		{Path: "/a/*", Scope: "two"},
		{Path: "/a/b", Scope: "three"},
		{Path: "/*", Scope: "four"},
	}
	table, err := httpadapter.NewRouteTable("five", routes...)
	require.NoError(t, err)
	routes[0].Scope = "changed"
	_, value := h.issue(pat.CreateParams{Scopes: []string{"none"}})
	g := guard(h.verifier, httpadapter.RequireScope("base", "four"), httpadapter.RequireRouteScope(table))
	for path, scope := range map[string]string{"/a/b": " one", "/a/c": " two", "/b": "", "/": " five", "//": " five"} {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.URL.Path, r.Header = path, bearer(value)
		assert.Equal(t, `Bearer realm="pat", error="insufficient_scope", scope="base four`+scope+`"`,
			serve(t, g, r).header.Get("WWW-Authenticate"))
	}
}

func TestRequireTokenServesManyRequestsAtOnce(t *testing.T) {
	h := newHost(t, func(s *settings) { s.pat.Scopes = pat.ScopePolicy{} })
	table, err := httpadapter.NewRouteTable("other", httpadapter.Route{Path: "/a", Scope: "a"}, httpadapter.Route{Path: "/b", Scope: "b"})
	require.NoError(t, err)
	_, value := h.issue(pat.CreateParams{Scopes: []string{"none"}})
	protected := httpadapter.RequireToken(h.verifier, httpadapter.RequireScope("x", "y"), httpadapter.RequireScope("z"),
		httpadapter.RequireRouteScope(table))(http.NotFoundHandler())
	var asking sync.WaitGroup
	for _, scope := range []string{"a", "b"} {
		asking.Go(func() {
			for range 200 {
				r := httptest.NewRequest(http.MethodGet, "/"+scope, http.NoBody)
				r.Header = bearer(value)
				assert.Equal(t, `Bearer realm="pat", error="insufficient_scope", scope="x y z `+scope+`"`,
					serve(t, protected, r).header.Get("WWW-Authenticate"))
			}
		})
	}
	asking.Wait()
}

func TestNewRouteTableRefusesRoutesThatCanNotMeanWhatTheySay(t *testing.T) {
	for sentence, c := range map[string]struct {
		unlisted string
		route    httpadapter.Route
		argument string
	}{
		"no scope for what is not listed":      {"", httpadapter.Route{Path: "/a", Scope: "s"}, "unlisted"},
		"a bad scope for it":                   {"a b", httpadapter.Route{Path: "/a", Scope: "s"}, "unlisted"},
		"no scope":                             {"s", httpadapter.Route{Path: "/a"}, "Route.Scope"},
		"a bad scope":                          {"s", httpadapter.Route{Path: "/a", Scope: `"`}, "Route.Scope"},
		"no path":                              {"s", httpadapter.Route{Scope: "s"}, "Route.Path"},
		"a path without slash":                 {"s", httpadapter.Route{Path: "a", Scope: "s"}, "Route.Path"},
		"an asterisk alone":                    {"s", httpadapter.Route{Path: "*", Scope: "s"}, "Route.Path"},
		"an asterisk at the front":             {"s", httpadapter.Route{Path: "*/a", Scope: "s"}, "Route.Path"},
		"an asterisk in the middle":            {"s", httpadapter.Route{Path: "/*/a", Scope: "s"}, "Route.Path"},
		"an asterisk within a segment":         {"s", httpadapter.Route{Path: "/a*", Scope: "s"}, "Route.Path"},
		"two asterisks":                        {"s", httpadapter.Route{Path: "/*/*", Scope: "s"}, "Route.Path"},
		"a double asterisk":                    {"s", httpadapter.Route{Path: "/a/**", Scope: "s"}, "Route.Path"},
		"an empty segment":                     {"s", httpadapter.Route{Path: "/a//b", Scope: "s"}, "Route.Path"},
		"an empty segment before the asterisk": {"s", httpadapter.Route{Path: "/a//*", Scope: "s"}, "Route.Path"},
		"a dot segment":                        {"s", httpadapter.Route{Path: "/a/../b", Scope: "s"}, "Route.Path"},
		"a method in lower case":               {"s", httpadapter.Route{Method: "get", Path: "/a", Scope: "s"}, "Route.Method"},
		"two methods":                          {"s", httpadapter.Route{Method: "GET POST", Path: "/a", Scope: "s"}, "Route.Method"},
		"a method and a path in one field":     {"s", httpadapter.Route{Method: "GET /a", Path: "/a", Scope: "s"}, "Route.Method"},
	} {
		t.Run(sentence, func(t *testing.T) {
			_, err := httpadapter.NewRouteTable(c.unlisted, httpadapter.Route{Path: "/", Scope: "s"}, c.route)
			assertNames(t, err, c.argument)
		})
	}
	_, err := httpadapter.NewRouteTable("s")
	assert.NoError(t, err, "a table without routes asks for the one scope everywhere")
}

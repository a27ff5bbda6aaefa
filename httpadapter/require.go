package httpadapter

import (
	"context"
	"net/http"

	"github.com/patkit/pat"
)

// Option changes what [RequireToken] asks for.
type Option func(*guard)

// RequireScope lets only tokens pass whose scopes cover all the scopes given. At least one is required, each an RFC
// 6749 scope-token.
func RequireScope(scopes ...string) Option {
	return func(g *guard) {}
}

// RequireRouteScope lets only tokens pass that have the scope which the table names for the request.
func RequireRouteScope(table RouteTable) Option {
	return func(g *guard) {}
}

// OnError sets a function that is told the cause of every 500 of the middleware, of a panic its type alone. It is called
// concurrently.
func OnError(report func(*http.Request, error)) Option {
	return func(g *guard) { g.report = report }
}

// RequireToken returns a middleware that lets a request pass if it bears a valid token in its Authorization header,
// in any form that the Verifier takes. A token in the query string or the body is never looked at. The handler behind it
// finds the token with [TokenFrom].
//
// The other requests get a problem document: 401 for no token or an invalid one, 403 for one without the scope needed,
// 400 for more than one Authorization header, and 500 where the Verifier could not find out. Without options any
// valid token passes.
//
// A nil Verifier and an option that breaks its rule answer every request with 500 and tell OnError why.
func RequireToken(v *pat.Verifier, opts ...Option) func(http.Handler) http.Handler {
	g := &guard{verifier: v}
	for _, opt := range opts {
		opt(g)
	}
	return func(next http.Handler) http.Handler { return next }
}

// TokenFrom returns the token with which the request passed [RequireToken]. Use the request's context.
func TokenFrom(ctx context.Context) (pat.Token, bool) {
	tok, ok := ctx.Value(tokenKey{}).(pat.Token)
	return tok, ok
}

type tokenKey struct{}

type guard struct {
	verifier *pat.Verifier
	report   reporter
}

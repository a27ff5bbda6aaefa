package httpadapter

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/patkit/pat"
)

// Option changes what [RequireToken] asks for.
type Option func(*guard)

// RequireScope lets only tokens pass whose scopes cover all the scopes given. At least one scope has to be given, each
// an RFC 6749 scope-token.
func RequireScope(scopes ...string) Option {
	return func(g *guard) {
		if len(scopes) == 0 || !areScopes(scopes...) {
			g.misuse(&pat.ArgumentError{Argument: "RequireScope", Rule: "must have scopes, each an RFC 6749 scope-token"})
		}
		g.scopes = append(g.scopes, scopes...)
	}
}

// RequireRouteScope lets only tokens pass that have the scope which the table names for the request.
func RequireRouteScope(table RouteTable) Option {
	return func(g *guard) {
		if table.unlisted == "" {
			g.misuse(&pat.ArgumentError{Argument: "RequireRouteScope", Rule: "must have a table that NewRouteTable made"})
		}
		g.tables = append(g.tables, table)
	}
}

// OnError sets a function that is told the cause of every 500 of the middleware, of a panic its type alone. It is
// called concurrently.
func OnError(report func(*http.Request, error)) Option {
	return func(g *guard) { g.report = report }
}

// RequireToken returns a middleware that lets a request pass if it bears a valid token in its Authorization header,
// in any form that the Verifier takes. A token in the query string or the body is never looked at. The handler behind
// it finds the token with [TokenFrom].
//
// The other requests get a problem document: 401 for no token or an invalid one, 403 for one without the scope needed,
// 400 for more than one Authorization header, and 500 where the Verifier could not find out. Without options any
// valid token passes.
//
// A nil Verifier, a nil handler and an option that breaks its rule answer every request with 500 and tell OnError why.
func RequireToken(v *pat.Verifier, opts ...Option) func(http.Handler) http.Handler {
	g := &guard{verifier: v}
	if v == nil {
		g.misuse(&pat.ArgumentError{Argument: "RequireToken", Rule: "must have a Verifier"})
	}
	for _, opt := range opts {
		if opt == nil {
			g.misuse(&pat.ArgumentError{Argument: "RequireToken", Rule: "must not have a nil Option"})
			continue
		}
		opt(g)
	}
	return g.wrap
}

// TokenFrom returns the token with which the request passed [RequireToken]. Use the request's context.
func TokenFrom(ctx context.Context) (pat.Token, bool) {
	tok, ok := ctx.Value(tokenKey{}).(*pat.Token)
	if !ok {
		return pat.Token{}, false
	}
	return *tok, true
}

type tokenKey struct{}

// tokenContext is the context of a request that passed: context.WithValue, with the token in the same piece of memory.
type tokenContext struct {
	context.Context //nolint:containedctx // as any derived context does
	tok             pat.Token
}

// String is what contexts of the standard library do: they print what they are, and not what they hold.
func (c *tokenContext) String() string { return "httpadapter.RequireToken" }

func (c *tokenContext) Value(key any) any {
	if key == (tokenKey{}) {
		return &c.tok
	}
	return c.Context.Value(key)
}

// guard is a checked RequireToken call. It is not changed once a request arrives.
type guard struct {
	verifier *pat.Verifier
	scopes   []string
	tables   []RouteTable
	report   reporter
	err      error // every misuse; RequireToken has no error result, so that it can stand in a line of middlewares
}

func (g *guard) misuse(err error) { g.err = errors.Join(g.err, err) }

func (g *guard) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, err := g.admit(r)
		if err == nil && next == nil {
			err = &pat.ArgumentError{Argument: "RequireToken", Rule: "must not wrap a nil handler"}
		}
		if err != nil {
			g.report.failure(r, err).write(w)
			return
		}
		// Outside admit, so that a panic of the host's handler stays the host's.
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// admit returns the context of a request that may pass.
func (g *guard) admit(r *http.Request) (ctx *tokenContext, err error) {
	defer contain(&err)
	if g.err != nil {
		return nil, g.err
	}
	value, err := bearerCredential(r.Header)
	if err != nil {
		return nil, err
	}
	tok, err := g.verifier.Verify(r.Context(), value)
	if err != nil {
		return nil, refusal(err)
	}
	needed := g.needed(r)
	err = g.verifier.RequireScope(tok, needed...)
	if _, ok := errors.AsType[*pat.InsufficientScopeError](err); ok {
		return nil, insufficientScope(needed)
	}
	if err != nil {
		return nil, err
	}
	return &tokenContext{r.Context(), tok}, nil
}

// needed returns the scopes that a request needs, each of them once.
func (g *guard) needed(r *http.Request) []string {
	needed := slices.Clone(g.scopes)
	for _, table := range g.tables {
		if scope := table.scope(r.Method, r.URL); !slices.Contains(needed, scope) {
			needed = append(needed, scope)
		}
	}
	return needed
}

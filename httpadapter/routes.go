package httpadapter

import (
	"net/url"
	"slices"
	"strings"

	"github.com/patkit/pat"
)

// Route is one line of a [RouteTable].
type Route struct {
	// Method is the request method in upper case, compared exactly, so that GET does not cover HEAD. Empty means any.
	Method string
	// Path begins with '/' and is compared exactly, or ends in "/*", which stands for everything below it: "/a/*"
	// covers /a/b and /a/b/c, and neither /a nor /a/.
	Path string
	// Scope is what a token needs to pass: an RFC 6749 scope-token.
	Scope string
}

// RouteTable says which scope a token needs for which route of the host; see [RequireRouteScope]. It can't be
// changed. Make it with [NewRouteTable]: the zero RouteTable lets nothing pass.
type RouteTable struct {
	unlisted string
	routes   []Route
}

// NewRouteTable returns a table in which the first route that covers a request counts, and a request that no route
// covers needs the scope unlisted. A route or scope that breaks its rule is a [pat.ArgumentError].
//
// The request's path is taken as the middleware sees it. A path with an empty segment, a dot segment, an encoded slash,
// a backslash, a semicolon, or a percent sign once it is decoded, is covered by no route, because whoever stands behind
// may read it as another one. It needs the scope unlisted then, like HEAD where GET is listed. So unlisted should imply
// every scope of the table, as full_scope does: if it were less, those requests would get past the routes that need more.
func NewRouteTable(unlisted string, routes ...Route) (RouteTable, error) {
	if !areScopes(unlisted) {
		return RouteTable{}, &pat.ArgumentError{Argument: "unlisted", Rule: scopeRule}
	}
	for _, route := range routes {
		switch {
		case strings.Trim(route.Method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") != "":
			return RouteTable{}, &pat.ArgumentError{Argument: "Route.Method", Rule: "must be empty or in upper case"}
		case !isRoutePath(route.Path):
			return RouteTable{}, &pat.ArgumentError{Argument: "Route.Path",
				Rule: "must begin with '/', must have no empty and no dot segment, and '*' only as the last one"}
		case !areScopes(route.Scope):
			return RouteTable{}, &pat.ArgumentError{Argument: "Route.Scope", Rule: scopeRule}
		}
	}
	return RouteTable{unlisted: unlisted, routes: slices.Clone(routes)}, nil
}

const scopeRule = "must be an RFC 6749 scope-token"

func areScopes(scopes ...string) bool {
	_, err := pat.NewScopes(scopes...)
	return err == nil
}

func isRoutePath(path string) bool {
	path, below := strings.CutSuffix(path, "*")
	return isPlainPath(path) && !strings.Contains(path, "*") && (!below || strings.HasSuffix(path, "/"))
}

// isPlainPath reports whether a path has one meaning only. A slash at the end is an empty segment like any other,
// but a common one, and allowed: it is compared like any other character.
//
// Some servers and frameworks take a backslash for a slash, decode a path twice, or end a segment at a semicolon.
func isPlainPath(path string) bool {
	if strings.ContainsAny(path, `\%;`) {
		return false
	}
	rest, ok := strings.CutPrefix(path, "/")
	for segment := range strings.SplitSeq(strings.TrimSuffix(rest, "/"), "/") {
		ok = ok && !isDotSegment(segment) && (segment != "" || rest == "")
	}
	return ok
}

// scope returns the scope that a request needs.
func (t RouteTable) scope(method string, u *url.URL) string {
	if hasEncodedSlash(u) || !isPlainPath(u.Path) {
		return t.unlisted
	}
	for _, route := range t.routes {
		if (route.Method == "" || route.Method == method) && route.covers(u.Path) {
			return route.Scope
		}
	}
	return t.unlisted
}

func (route Route) covers(path string) bool {
	below, ok := strings.CutSuffix(route.Path, "*")
	if !ok {
		return path == route.Path
	}
	return len(path) > len(below) && strings.HasPrefix(path, below)
}

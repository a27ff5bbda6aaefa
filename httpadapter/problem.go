package httpadapter

import (
	"errors"
	"net/http"
	"strings"

	"github.com/patkit/pat"
)

// problem is an error answer: a problem document (RFC 9457) with a stable code. It holds nothing of the request.
type problem struct {
	status    int
	code      string
	detail    string
	challenge string // the WWW-Authenticate header
	allow     string // the Allow header
}

func (p *problem) Error() string { return "httpadapter: " + p.code }

// The challenges of RFC 6750, section 3. It asks for at least one attribute behind the scheme, hence the realm; the
// error code is left out where no credential was sent (section 3.1).
const (
	challengeNone         = `Bearer realm="pat"`
	challengeInvalidToken = challengeNone + `, error="invalid_token"`
	challengeRepeated     = challengeNone + `, error="invalid_request"`
)

// Every error answer there is, apart from those that badRequest, methodNotAllowed and insufficientScope make.
var (
	noCredential = &problem{status: http.StatusUnauthorized, code: "unauthenticated",
		detail: "The request has no bearer credential.", challenge: challengeNone}
	badCredential = &problem{status: http.StatusUnauthorized, code: "invalid_token",
		detail: "The bearer credential is not valid.", challenge: challengeInvalidToken}
	patAsCredential = &problem{status: http.StatusUnauthorized, code: "invalid_token",
		detail: "A personal access token can't be used to manage personal access tokens.", challenge: challengeInvalidToken}
	repeatedCredential = &problem{status: http.StatusBadRequest, code: "invalid_request",
		detail: "The request has more than one Authorization header.", challenge: challengeRepeated}

	// One answer for a malformed value, an unknown prefix, a wrong secret and an owner who is gone: what tells them
	// apart would tell a stranger which tokens exist.
	invalidToken = &problem{status: http.StatusUnauthorized, code: "invalid_token",
		detail: "The token is not valid.", challenge: challengeInvalidToken}
	// These two only ever follow a proof of the whole secret.
	tokenExpired = &problem{status: http.StatusUnauthorized, code: "token_expired",
		detail: "The token has expired.", challenge: challengeInvalidToken}
	tokenRevoked = &problem{status: http.StatusUnauthorized, code: "token_revoked",
		detail: "The token has been revoked.", challenge: challengeInvalidToken}

	forbidden = &problem{status: http.StatusForbidden, code: "forbidden",
		detail: "The caller may not do this."}
	tokenLimitReached = &problem{status: http.StatusForbidden, code: "token_limit_reached",
		detail: "The group has as many tokens as it may have."}
	groupNotFound = &problem{status: http.StatusNotFound, code: "not_found",
		detail: "There is no such group."}
	tokenNotFound = &problem{status: http.StatusNotFound, code: "not_found",
		detail: "There is no such token."}
	pathNotFound = &problem{status: http.StatusNotFound, code: "not_found",
		detail: "There is nothing at this path."}
	internalError = &problem{status: http.StatusInternalServerError, code: "internal_error",
		detail: "The server could not answer the request."}
)

func badRequest(detail string) *problem {
	return &problem{status: http.StatusBadRequest, code: "invalid_request", detail: detail}
}

func methodNotAllowed(allow string) *problem {
	return &problem{status: http.StatusMethodNotAllowed, code: "method_not_allowed",
		detail: "The method is not one of those that the Allow header lists.", allow: allow}
}

// insufficientScope names the scopes needed, which are the host's and no secret (RFC 6750, section 3.1). A scope-token
// has neither quote nor backslash, so that nothing has to be escaped.
func insufficientScope(needed []string) *problem {
	return &problem{status: http.StatusForbidden, code: "insufficient_scope",
		detail:    "The token has not the scope that is needed here.",
		challenge: challengeNone + `, error="insufficient_scope", scope="` + strings.Join(needed, " ") + `"`}
}

// refusal says what a client is told of an error of Verify. An error that is no refusal stays what it is, and becomes
// 500.
func refusal(err error) error {
	switch {
	case errors.Is(err, pat.ErrExpired):
		return tokenExpired
	case errors.Is(err, pat.ErrRevoked):
		return tokenRevoked
	case errors.Is(err, pat.ErrInvalidToken):
		return invalidToken
	}
	return err
}

// verdict says what a client is told of an error of Authorize on a group.
func verdict(err error) error {
	switch {
	case errors.Is(err, ErrForbidden):
		return forbidden
	case errors.Is(err, ErrGroupNotFound):
		return groupNotFound
	}
	return err
}

const lifetimeDetail = "expiresInDays must be a whole number from 1 to the maximum that the server allows."

// badArgument says what a client is told of an argument that the Issuer refused. An argument that is not the client's
// stays what it is, and becomes 500.
func badArgument(err error) error {
	argument, ok := errors.AsType[*pat.ArgumentError](err)
	if !ok {
		return err
	}
	switch argument.Argument {
	case "CreateParams.Name":
		return badRequest("name " + argument.Rule + ".")
	case "CreateParams.Scopes":
		return badRequest("scopes " + argument.Rule + ".")
	case "CreateParams.Lifetime":
		return badRequest(lifetimeDetail)
	case "ListParams.Cursor":
		return badRequest("cursor must be the one of a Link header that this route returned.")
	case "id":
		return badRequest("The token id " + argument.Rule + ".")
	}
	return err
}

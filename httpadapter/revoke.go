package httpadapter

import (
	"errors"
	"net/http"

	"github.com/patkit/pat"
)

// revoke answers DELETE {base}/pats/{tokenId}. It answers 204 also for a token that is revoked or expired already, so
// that a client can repeat a request whose answer got lost.
func (h *Handler) revoke(r *http.Request, id string) (response, error) {
	caller, err := h.caller(r)
	if err != nil {
		return response{}, err
	}
	tok, err := h.issuer.Get(r.Context(), id)
	if err != nil {
		return response{}, missing(err)
	}
	if err := h.mayRevoke(r, caller, tok); err != nil {
		return response{}, err
	}
	if _, err := h.issuer.Revoke(r.Context(), id); err != nil {
		return response{}, missing(err) // it can have been purged in the meantime
	}
	return response{status: http.StatusNoContent}, nil
}

// mayRevoke gives a caller who may not even see the token the answer for one that does not exist, byte for byte.
func (h *Handler) mayRevoke(r *http.Request, caller Caller, tok pat.Token) error {
	err := h.authorizeToken(r, caller, ActionRevoke, tok)
	if errors.Is(err, ErrForbidden) {
		if err = h.authorizeToken(r, caller, ActionList, tok); err == nil {
			return forbidden
		}
	}
	if errors.Is(err, ErrForbidden) || errors.Is(err, ErrGroupNotFound) {
		return tokenNotFound
	}
	return err
}

func (h *Handler) authorizeToken(r *http.Request, caller Caller, action Action, tok pat.Token) error {
	return h.authorize(r.Context(), caller, action, Target{GroupID: tok.GroupID, Token: &tok})
}

func missing(err error) error {
	if errors.Is(err, pat.ErrNotFound) {
		return tokenNotFound
	}
	return badArgument(err)
}

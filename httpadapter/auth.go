package httpadapter

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// valueMarker begins every token value that package pat makes.
const valueMarker = "pat_"

// caller returns the caller of list, create and delete.
func (h *Handler) caller(r *http.Request) (Caller, error) {
	credential, err := bearerCredential(r.Header)
	if err != nil {
		return Caller{}, err
	}
	if !isToken68(credential) {
		return Caller{}, badCredential
	}
	if !h.insecureAllowPATs && h.isPAT(r.Context(), credential) {
		return Caller{}, patAsCredential
	}
	caller, err := h.authenticate(r)
	switch {
	case errors.Is(err, ErrUnauthenticated):
		return Caller{}, badCredential
	case err != nil:
		return Caller{}, err
	case caller.UserID == "":
		return Caller{}, errors.New("httpadapter: Config.Authenticate returned a Caller without UserID")
	}
	return caller, nil
}

// isPAT reports whether a request bears a personal access token, or something that looks like one, also in the form of
// an older system whose tokens were imported. One that passed RequireToken does in any case.
func (h *Handler) isPAT(ctx context.Context, credential string) bool {
	_, passed := TokenFrom(ctx)
	return passed || strings.HasPrefix(credential, valueMarker) || h.verifier.Recognizes(credential)
}

// bearerCredential returns the credential of a request that has to have one. Two Authorization headers are refused,
// because what stands behind may look at the other one.
func bearerCredential(header http.Header) (string, error) {
	values := header["Authorization"]
	if len(values) > 1 {
		return "", repeatedCredential
	}
	if len(values) == 0 {
		return "", noCredential
	}
	credential, ok := cutBearer(values[0])
	if !ok {
		return "", noCredential
	}
	return credential, nil
}

// cutBearer returns what follows "Bearer" in an Authorization header. The scheme has no case, and one or more spaces
// follow it (RFC 9110, section 11.4). ok is false for another scheme and where nothing follows.
func cutBearer(value string) (credential string, ok bool) {
	scheme, credential, _ := strings.Cut(value, " ")
	credential = strings.Trim(credential, " ")
	return credential, strings.EqualFold(scheme, "Bearer") && credential != ""
}

// isToken68 reports whether a credential has the form that RFC 6750, section 2.1, calls b64token.
func isToken68(credential string) bool {
	text := strings.TrimRight(credential, "=")
	if text == "" {
		return false
	}
	for i := range len(text) {
		c := text[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && !strings.ContainsRune("-._~+/", rune(c)) {
			return false
		}
	}
	return true
}

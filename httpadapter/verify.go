package httpadapter

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// verify answers POST {base}/pats/verify. It needs no credential: who presents a token learns what it is.
func (h *Handler) verify(r *http.Request) (response, error) {
	value, err := presentedToken(r)
	if err != nil {
		return response{}, err
	}
	tok, err := h.verifier.Verify(r.Context(), value)
	if err != nil {
		return response{}, refusal(err)
	}
	e := encoder{buf: make([]byte, 0, 512)} // room for most answers
	h.encodeVerified(&e, &tok)
	return e.response(http.StatusOK)
}

// presentedToken returns the token of the body or, where the body names none, of the Authorization header. Known
// clients send their session in that header beside a token in the body, so that a header which holds no PAT is passed
// over. The query string is never looked at: it ends up in logs.
func presentedToken(r *http.Request) (string, error) {
	body, err := readBody(r)
	if err != nil {
		return "", err
	}
	value, err := decodeVerify(body)
	if err != nil {
		return "", err
	}
	headers := r.Header["Authorization"]
	if value == "" && len(headers) > 1 {
		return "", repeatedCredential
	}
	for _, header := range headers {
		credential, ok := cutBearer(header)
		if !ok || !strings.HasPrefix(credential, valueMarker) {
			continue
		}
		if value == "" {
			value = credential
		}
		if credential != value && strings.HasPrefix(value, valueMarker) {
			return "", badRequest("The body and the Authorization header hold different tokens.")
		}
	}
	if value == "" {
		return "", badRequest("The request holds no token.")
	}
	return value, nil
}

// decodeVerify returns the token that a body names, or "" if it names none.
func decodeVerify(body []byte) (string, error) {
	if len(bytes.Trim(body, " \t\r\n")) == 0 {
		return "", nil
	}
	var value string
	err := decodeObject(body, func(dec *jsontext.Decoder, name string) (err error) {
		if name != "token" {
			return dec.SkipValue()
		}
		value, err = readString(dec, name)
		return err
	})
	if err != nil {
		return "", err
	}
	return value, nil
}

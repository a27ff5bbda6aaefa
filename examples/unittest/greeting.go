// Package unittest shows how a host tests a handler of its own that is guarded by tokens: with the memory store and a
// clock that stands still until it is moved. The handler is here, its test in the file beside it.
package unittest

import (
	"net/http"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
)

// NewGreeting returns a handler that greets the user whose token the request bears. The token needs the scope
// "greetings:read".
func NewGreeting(verifier *pat.Verifier) http.Handler {
	guard := httpadapter.RequireToken(verifier, httpadapter.RequireScope("greetings:read"))
	return guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := httpadapter.TokenFrom(r.Context())
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("hello, " + token.UserID))
	}))
}

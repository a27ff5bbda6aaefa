package httpadapter_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
	"github.com/patkit/pat/memory"
)

// A handler behind RequireToken learns whose token let the request in. One that was mounted without the middleware
// notices by ok.
func ExampleTokenFrom() {
	store := memory.New()
	issuer, err := pat.NewIssuer(store, pat.Config{})
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := pat.NewVerifier(store, pat.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer verifier.Close(context.Background())
	issued, err := issuer.Create(context.Background(), pat.CreateParams{
		UserID: "alice", GroupID: "1", Name: "ci", Scopes: []string{"reports:read"},
	})
	if err != nil {
		log.Fatal(err)
	}

	reports := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		tok, ok := httpadapter.TokenFrom(r.Context())
		if !ok {
			fmt.Println("no token")
			return
		}
		fmt.Println(tok.UserID, "in group", tok.GroupID, "with the token", tok.Name, "for", tok.Scopes)
	})
	r := httptest.NewRequest(http.MethodGet, "/reports", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+issued.Value.Reveal())
	httpadapter.RequireToken(verifier)(reports).ServeHTTP(httptest.NewRecorder(), r)
	reports.ServeHTTP(httptest.NewRecorder(), r)
	// Output:
	// alice in group 1 with the token ci for reports:read
	// no token
}

// The client is told that something failed, and the host what. Log the route and not the path, which may hold a token
// that a client put there by mistake.
func ExampleOnError() {
	store := memory.New()
	issuer, err := pat.NewIssuer(store, pat.Config{})
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := pat.NewVerifier(store, pat.Config{
		OwnerActive: func(context.Context, string, string) (bool, error) {
			return false, errors.New("the user directory does not answer")
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer verifier.Close(context.Background())
	issued, err := issuer.Create(context.Background(), pat.CreateParams{
		UserID: "alice", GroupID: "1", Name: "ci", Scopes: []string{"reports:read"},
	})
	if err != nil {
		log.Fatal(err)
	}

	guard := httpadapter.RequireToken(verifier, httpadapter.OnError(func(r *http.Request, err error) {
		fmt.Println("log:", r.Method, r.Pattern, err)
	}))
	mux := http.NewServeMux()
	mux.Handle("/reports/{name}", guard(http.NotFoundHandler()))

	r := httptest.NewRequest(http.MethodGet, "/reports/may", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+issued.Value.Reveal())
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println("client:", w.Code, w.Header().Get("Content-Type"))
	// Output:
	// log: GET /reports/{name} pat: verify: owner active: the user directory does not answer
	// client: 500 application/problem+json
}

// Mount shows how a service that already has a mux takes the token routes in: under a prefix of its own, with
// http.StripPrefix, beside its own routes, which it guards with httpadapter.RequireToken.
//
//	go run ./examples/mount
//
// It keeps tokens in memory. Its host side, a session per user and one group, is a demo.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
	"github.com/patkit/pat/memory"
)

func main() {
	handler, err := newHandler()
	if err == nil {
		server := &http.Server{Addr: "127.0.0.1:8081", Handler: handler, ReadHeaderTimeout: 5 * time.Second}
		fmt.Println("serving http://" + server.Addr)
		err = server.ListenAndServe()
	}
	fmt.Fprintln(os.Stderr, "mount:", err)
	os.Exit(1)
}

// The scopes of this host. A token that may write reports may also read them.
const (
	scopeRead  = "reports:read"
	scopeWrite = "reports:write"
)

func newHandler() (http.Handler, error) {
	store := memory.New()
	cfg := pat.Config{
		Scopes: pat.ScopePolicy{
			Implies: map[string][]string{scopeRead: nil, scopeWrite: {scopeRead}},
			Default: scopeRead,
		},
	}
	issuer, err := pat.NewIssuer(store, cfg)
	if err != nil {
		return nil, err
	}
	// A store that outlives the process would want verifier.Close at the end; see examples/server.
	verifier, err := pat.NewVerifier(store, cfg)
	if err != nil {
		return nil, err
	}
	tokens, err := httpadapter.New(httpadapter.Config{
		Issuer:       issuer,
		Verifier:     verifier,
		Authenticate: authenticate,
		Authorize:    authorize,
		BasePath:     "/", // as the adapter sees it, behind StripPrefix
	})
	if err != nil {
		return nil, err
	}
	mayRead := httpadapter.RequireToken(verifier, httpadapter.RequireScope(scopeRead))
	mayWrite := httpadapter.RequireToken(verifier, httpadapter.RequireScope(scopeWrite))

	// The mux that the service already has. The token routes become /settings/pats, /settings/pats/verify and so on.
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", home)
	mux.Handle("/settings/", http.StripPrefix("/settings", tokens))
	mux.Handle("GET /settings/openapi.json", tokens.OpenAPIHandler("/settings"))
	mux.Handle("GET /reports", mayRead(http.HandlerFunc(listReports)))
	mux.Handle("POST /reports", mayWrite(http.HandlerFunc(addReport)))
	return mux, nil
}

// home is a route that needs no token.
func home(w http.ResponseWriter, _ *http.Request) {
	_, _ = fmt.Fprintln(w, "welcome")
}

// listReports is a route of the host. The token that let the request in tells whose reports to show.
func listReports(w http.ResponseWriter, r *http.Request) {
	token, _ := httpadapter.TokenFrom(r.Context())
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"userId": token.UserID, "reports": []string{}})
}

// addReport is a route of the host that needs more.
func addReport(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusCreated)
}

// authenticate stands for the host's session: who is calling the token routes?
func authenticate(r *http.Request) (httpadapter.Caller, error) {
	if r.Header.Get("Authorization") != "Bearer alice-session" {
		return httpadapter.Caller{}, httpadapter.ErrUnauthenticated
	}
	return httpadapter.Caller{UserID: "alice"}, nil
}

// authorize stands for the host's rights: alice may do everything in group 1, which is the only one.
func authorize(_ context.Context, _ httpadapter.Caller, _ httpadapter.Action, target httpadapter.Target) error {
	if target.GroupID != "1" {
		return httpadapter.ErrGroupNotFound
	}
	return nil
}

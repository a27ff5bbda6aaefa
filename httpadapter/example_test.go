package httpadapter_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
	"github.com/patkit/pat/memory"
)

// The routes on the mux of a service. Authenticate and Authorize are where its own sessions and groups come in.
func ExampleNew() {
	store := memory.New()
	cfg := pat.Config{Scopes: pat.PublicFullScopes(), GroupLimit: 10}
	issuer, err := pat.NewIssuer(store, cfg)
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := pat.NewVerifier(store, cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer verifier.Close(context.Background())

	api, err := httpadapter.New(httpadapter.Config{
		Issuer:   issuer,
		Verifier: verifier,
		Authenticate: func(r *http.Request) (httpadapter.Caller, error) {
			if r.Header.Get("Authorization") != "Bearer alice-session" {
				return httpadapter.Caller{}, httpadapter.ErrUnauthenticated
			}
			return httpadapter.Caller{UserID: "alice"}, nil
		},
		Authorize: func(_ context.Context, caller httpadapter.Caller, _ httpadapter.Action, target httpadapter.Target) error {
			if caller.UserID != "alice" || target.GroupID != "1" {
				return httpadapter.ErrForbidden
			}
			return nil
		},
		OnError: func(_ *http.Request, err error) { log.Print(err) },
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(httpadapter.DefaultBasePath+"/", api)
	mux.Handle("GET /openapi.json", api.OpenAPIHandler(""))

	ask := func(method, path, credential, body string) {
		r := httptest.NewRequest(method, httpadapter.DefaultBasePath+path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+credential)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(method, path, w.Code)
	}
	ask("POST", "/pats", "alice-session", `{"name":"ci","groupId":1,"expiresInDays":60}`)
	ask("GET", "/pats?groupId=1", "alice-session", "")
	ask("GET", "/pats?groupId=2", "alice-session", "")
	ask("POST", "/pats/verify", "alice-session", `{"token":"pat_a-typo"}`)
	// Output:
	// POST /pats 201
	// GET /pats?groupId=1 200
	// GET /pats?groupId=2 403
	// POST /pats/verify 401
}

// A route of the service's own that takes a token with a certain scope.
func ExampleRequireToken() {
	store := memory.New()
	cfg := pat.Config{Scopes: pat.PublicFullScopes()}
	issuer, err := pat.NewIssuer(store, cfg)
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := pat.NewVerifier(store, cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer verifier.Close(context.Background())

	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tok, _ := httpadapter.TokenFrom(r.Context())
		fmt.Fprintf(w, "hello %s", tok.UserID)
	})
	protected := httpadapter.RequireToken(verifier, httpadapter.RequireScope("full_scope"))(hello)

	for _, scope := range []string{"full_scope", "public_scope"} {
		issued, err := issuer.Create(context.Background(), pat.CreateParams{
			UserID: "alice", GroupID: "1", Name: "ci", Scopes: []string{scope},
		})
		if err != nil {
			log.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, "/hello", http.NoBody)
		r.Header.Set("Authorization", "Bearer "+issued.Value.Reveal())
		w := httptest.NewRecorder()
		protected.ServeHTTP(w, r)
		if w.Code == http.StatusOK {
			text, _ := io.ReadAll(w.Body)
			fmt.Println(w.Code, string(text))
		} else {
			fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))
		}
	}
	// Output:
	// 200 hello alice
	// 403 Bearer realm="pat", error="insufficient_scope", scope="full_scope"
}

// A table for all routes of a service at once: what it does not list needs full_scope.
func ExampleNewRouteTable() {
	table, err := httpadapter.NewRouteTable("full_scope",
		httpadapter.Route{Method: "GET", Path: "/profile", Scope: "public_scope"},
		httpadapter.Route{Path: "/profile/*", Scope: "public_scope"},
	)
	if err != nil {
		log.Fatal(err)
	}
	store := memory.New()
	cfg := pat.Config{Scopes: pat.PublicFullScopes()}
	issuer, err := pat.NewIssuer(store, cfg)
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := pat.NewVerifier(store, cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer verifier.Close(context.Background())
	issued, err := issuer.Create(context.Background(), pat.CreateParams{UserID: "alice", GroupID: "1", Name: "ci"})
	if err != nil {
		log.Fatal(err)
	}

	routes := http.NewServeMux() // the service's own
	routes.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	protected := httpadapter.RequireToken(verifier, httpadapter.RequireRouteScope(table))(routes)

	for _, request := range []string{"GET /profile", "PUT /profile", "PUT /profile/avatar", "GET /billing"} {
		method, path, _ := strings.Cut(request, " ")
		r := httptest.NewRequest(method, path, http.NoBody)
		r.Header.Set("Authorization", "Bearer "+issued.Value.Reveal()) // it has public_scope, the default
		w := httptest.NewRecorder()
		protected.ServeHTTP(w, r)
		fmt.Println(request, w.Code)
	}
	// Output:
	// GET /profile 200
	// PUT /profile 403
	// PUT /profile/avatar 200
	// GET /billing 403
}

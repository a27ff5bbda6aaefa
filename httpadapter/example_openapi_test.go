package httpadapter_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
	"github.com/patkit/pat/memory"
)

// What the description lists. Written to a file, it is what a code generator reads.
func ExampleOpenAPI() {
	var description struct {
		Paths map[string]map[string]struct{ OperationID, Summary string }
	}
	if err := json.Unmarshal(httpadapter.OpenAPI(), &description); err != nil {
		log.Fatal(err)
	}
	for _, path := range slices.Sorted(maps.Keys(description.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(description.Paths[path])) {
			operation := description.Paths[path][method]
			fmt.Printf("%s %s %s: %s\n", operation.OperationID, method, path, operation.Summary)
		}
	}
	// Output:
	// listPats get /pats: Lists the tokens of a group
	// createPat post /pats: Creates a token for a group
	// verifyPat post /pats/verify: Says whether a token is valid and returns its metadata
	// deletePat delete /pats/{tokenId}: Revokes a token
}

// The description as clients see the routes: behind http.StripPrefix, and with names as group ids.
func ExampleHandler_OpenAPIHandler() {
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
	api, err := httpadapter.New(httpadapter.Config{
		Issuer:   issuer,
		Verifier: verifier,
		Authenticate: func(*http.Request) (httpadapter.Caller, error) {
			return httpadapter.Caller{}, httpadapter.ErrUnauthenticated
		},
		Authorize: func(context.Context, httpadapter.Caller, httpadapter.Action, httpadapter.Target) error {
			return httpadapter.ErrForbidden
		},
		BasePath:       "/", // as the adapter sees it
		StringGroupIDs: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/settings/", http.StripPrefix("/settings", api))
	mux.Handle("GET /openapi.json", api.OpenAPIHandler("/settings"))

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", http.NoBody))
	var description struct {
		Servers    []struct{ URL string }
		Components struct {
			Schemas map[string]struct{ Type string }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &description); err != nil {
		log.Fatal(err)
	}
	fmt.Println("server:", description.Servers[0].URL)
	fmt.Println("groupId:", description.Components.Schemas["GroupId"].Type)
	// Output:
	// server: /settings
	// groupId: string
}

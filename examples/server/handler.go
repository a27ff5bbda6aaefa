package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
)

// newHandler puts the service together: the documented API, its description, and the host's own profile routes. The
// caller closes the verifier before the store.
func newHandler(store pat.Store, logger *slog.Logger) (http.Handler, *pat.Verifier, error) {
	const day = 24 * time.Hour
	cfg := pat.Config{
		Scopes:      pat.PublicFullScopes(),
		Lifetime:    pat.LifetimePolicy{Default: 90 * day, Max: 1825 * day},
		GroupLimit:  10,
		OwnerActive: ownerActive,
		OnEvent:     logEvent(logger),
	}
	issuer, err := pat.NewIssuer(store, cfg)
	if err != nil {
		return nil, nil, err
	}
	verifier, err := pat.NewVerifier(store, cfg)
	if err != nil {
		return nil, nil, err
	}
	api, err := httpadapter.New(httpadapter.Config{
		Issuer:       issuer,
		Verifier:     verifier,
		Authenticate: authenticate,
		Authorize:    authorize,
		OnError:      logFault(logger),
	})
	if err != nil {
		return nil, nil, err
	}

	// The reference deployment's table. What it does not list, such as a POST on the profile itself, needs full_scope.
	const profilePath = httpadapter.DefaultBasePath + "/profile"
	table, err := httpadapter.NewRouteTable(pat.ScopeFull,
		httpadapter.Route{Method: http.MethodGet, Path: profilePath, Scope: pat.ScopePublic},
		httpadapter.Route{Path: profilePath + "/*", Scope: pat.ScopePublic},
	)
	if err != nil {
		return nil, nil, err
	}
	guard := httpadapter.RequireToken(verifier,
		httpadapter.RequireRouteScope(table), httpadapter.OnError(logFault(logger)))
	profile := guard(http.HandlerFunc(serveProfile))

	mux := http.NewServeMux()
	mux.Handle("/", api)
	mux.Handle("GET /openapi.json", api.OpenAPIHandler(""))
	mux.Handle(profilePath, profile)
	mux.Handle(profilePath+"/", profile)
	return mux, verifier, nil
}

// serveProfile stands for the host's own routes: it answers with the user of the token that let the request in.
func serveProfile(w http.ResponseWriter, r *http.Request) {
	token, ok := httpadapter.TokenFrom(r.Context())
	if !ok { // only if somebody took the guard away
		http.Error(w, "no token", http.StatusInternalServerError)
		return
	}
	body, err := json.Marshal(map[string]any{"userId": token.UserID, "scopes": token.Scopes})
	if err != nil {
		http.Error(w, "can't encode the profile", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(body)
}

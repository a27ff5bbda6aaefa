package httpadapter_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
	"github.com/patkit/pat/memory"
)

// measured is one of the two ways in which every request of a host may pass through this package, beside a bare handler
// that gets the same request and answers with the same bytes and headers, and verifies nothing.
type measured struct {
	ours, bare    http.Handler
	method, path  string
	authorization string
	body          string
}

// verifyRoute is the verify route over a memory store with 1,000 tokens. The bare handler decodes the same body.
func verifyRoute(tb testing.TB) measured {
	tb.Helper()
	issuer, verifier, value := thousandTokens(tb)
	handler, err := httpadapter.New(httpadapter.Config{
		Issuer: issuer, Verifier: verifier, Authenticate: authenticate, Authorize: remember(new(string)),
	})
	require.NoError(tb, err)
	m := measured{ours: handler, method: http.MethodPost, path: base + "/pats/verify", body: `{"token":"` + value + `"}`}
	answer := m.answer(tb, m.ours)
	require.Contains(tb, answer, `{"tokenId"`)
	m.bare = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			Token string `json:"token"`
		}
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil || request.Token == "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = io.WriteString(w, answer)
	})
	require.Equal(tb, answer, m.answer(tb, m.bare))
	return m
}

// guardedRoute is RequireToken before a handler that asks whose token it was. The bare one looks at the same header.
func guardedRoute(tb testing.TB) measured {
	tb.Helper()
	_, verifier, value := thousandTokens(tb)
	m := measured{method: http.MethodGet, path: "/reports", authorization: "Bearer " + value}
	m.ours = httpadapter.RequireToken(verifier)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tok, _ := httpadapter.TokenFrom(r.Context())
		_, _ = io.WriteString(w, tok.UserID)
	}))
	m.bare = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if credential, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); !ok || credential == "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, "alice")
	})
	require.Equal(tb, "alice", m.answer(tb, m.ours))
	require.Equal(tb, "alice", m.answer(tb, m.bare))
	return m
}

// thousandTokens returns the value of the last one.
func thousandTokens(tb testing.TB) (issuer *pat.Issuer, verifier *pat.Verifier, value string) {
	tb.Helper()
	store := memory.New()
	cfg := pat.Config{Scopes: pat.PublicFullScopes()}
	issuer, err := pat.NewIssuer(store, cfg)
	require.NoError(tb, err)
	verifier, err = pat.NewVerifier(store, cfg)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, verifier.Close(context.Background())) })
	for range 1000 {
		issued, err := issuer.Create(tb.Context(), pat.CreateParams{UserID: "alice", GroupID: "1", Name: "ci"})
		require.NoError(tb, err)
		value = issued.Value.Reveal()
	}
	return issuer, verifier, value
}

func (m measured) request(tb testing.TB, url string) *http.Request {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), m.method, url+m.path, strings.NewReader(m.body))
	require.NoError(tb, err)
	if m.authorization != "" {
		r.Header.Set("Authorization", m.authorization)
	}
	return r
}

func (m measured) answer(tb testing.TB, handler http.Handler) string {
	tb.Helper()
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, m.request(tb, ""))
	require.Equal(tb, http.StatusOK, recorder.Code)
	return recorder.Body.String()
}

// direct returns a call of the handler without a network, which costs no more than the handler does.
func (m measured) direct(tb testing.TB, handler http.Handler) func() {
	tb.Helper()
	reader := strings.NewReader(m.body)
	r := m.request(tb, "")
	r.Body = io.NopCloser(reader)
	w := &discard{header: http.Header{}}
	return func() {
		reader.Reset(m.body)
		clear(w.header)
		w.status = http.StatusOK
		handler.ServeHTTP(w, r)
		if w.status != http.StatusOK || w.written == 0 {
			tb.Error(w.status)
		}
	}
}

// discard is a ResponseWriter that costs nothing.
type discard struct {
	header          http.Header
	status, written int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(b []byte) (int, error) { d.written = len(b); return len(b), nil }

func (d *discard) WriteString(s string) (int, error) { d.written = len(s); return len(s), nil }

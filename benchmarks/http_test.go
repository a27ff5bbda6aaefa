package benchmarks

import (
	"bytes"
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
)

// BenchmarkHTTP measures the handlers of package httpadapter over the memory store, without a network: the verify
// route, and RequireToken in front of a handler that answers with the owner. Beside each stands a bare handler with the
// same input and output, which decodes or looks at what it gets, and verifies nothing.
func BenchmarkHTTP(b *testing.B) {
	store, valid := inMemory(b, 1000)
	verifier, err := pat.NewVerifier(store, recently)
	require.NoError(b, err)
	issuer, err := pat.NewIssuer(store, recently)
	require.NoError(b, err)
	shuffle(valid)
	b.Run("peer=floor/route=verify", func(b *testing.B) { serve(b, bareVerify(b, routes(b, issuer, verifier), valid[0]), posts(valid)) })
	b.Run("peer=pat/route=verify", func(b *testing.B) { serve(b, routes(b, issuer, verifier), posts(valid)) })
	b.Run("peer=floor/route=guarded", func(b *testing.B) { serve(b, http.HandlerFunc(bareGuarded), gets(valid)) })
	b.Run("peer=pat/route=guarded", func(b *testing.B) {
		serve(b, httpadapter.RequireToken(verifier)(http.HandlerFunc(guarded)), gets(valid))
	})
}

// request is a request, as a server hands it on, with the owner that the answer has to name. The floor can't know.
type request struct {
	*http.Request
	body  string
	owner string
}

func serve(b *testing.B, handler http.Handler, requests []request) {
	b.Helper()
	knowsOwners := !strings.Contains(b.Name(), "peer=floor")
	var reader strings.Reader
	answer := &answer{header: http.Header{}}
	loop(b, func(i int) error {
		r := &requests[i%len(requests)]
		reader.Reset(r.body)
		r.Body = io.NopCloser(&reader)
		answer.status, answer.body = 0, answer.body[:0]
		clear(answer.header)
		handler.ServeHTTP(answer, r.Request)
		if answer.status != http.StatusOK {
			return errRefused
		}
		if knowsOwners && !bytes.Contains(answer.body, []byte(r.owner)) {
			return errAnother
		}
		return nil
	})
}

func routes(b *testing.B, issuer *pat.Issuer, verifier *pat.Verifier) http.Handler {
	b.Helper()
	handler, err := httpadapter.New(httpadapter.Config{
		Issuer: issuer, Verifier: verifier, StringGroupIDs: true,
		Authenticate: func(*http.Request) (httpadapter.Caller, error) {
			return httpadapter.Caller{}, httpadapter.ErrUnauthenticated
		},
		Authorize: func(context.Context, httpadapter.Caller, httpadapter.Action, httpadapter.Target) error {
			return httpadapter.ErrForbidden
		},
	})
	require.NoError(b, err)
	return handler
}

func posts(valid []credential) (requests []request) {
	for _, c := range valid {
		body := `{"token":"` + c.value + `"}`
		r := httptest.NewRequest(http.MethodPost, httpadapter.DefaultBasePath+"/pats/verify", http.NoBody)
		r.ContentLength = int64(len(body))
		r.Header.Set("Content-Type", "application/json")
		requests = append(requests, request{r, body, c.owner})
	}
	return requests
}

func gets(valid []credential) (requests []request) {
	for _, c := range valid {
		r := httptest.NewRequest(http.MethodGet, "/reports", http.NoBody)
		r.Header.Set("Authorization", "Bearer "+c.value)
		requests = append(requests, request{r, "", c.owner})
	}
	return requests
}

// bareVerify answers everybody what the first one gets.
func bareVerify(b *testing.B, handler http.Handler, first credential) http.Handler {
	b.Helper()
	r := posts([]credential{first})[0]
	r.Body = io.NopCloser(strings.NewReader(r.body))
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r.Request)
	require.Equal(b, http.StatusOK, recorder.Code)
	content := recorder.Body.Bytes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var decoded struct {
			Token string `json:"token"`
		}
		if err := json.NewDecoder(r.Body).Decode(&decoded); err != nil || decoded.Token == "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(content)
	})
}

func bareGuarded(w http.ResponseWriter, r *http.Request) {
	if value, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); !ok || value == "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.WriteHeader(http.StatusOK)
	_, _ = io.WriteString(w, "user-0000000")
}

func guarded(w http.ResponseWriter, r *http.Request) {
	tok, ok := httpadapter.TokenFrom(r.Context())
	if !ok {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusOK)
	_, _ = io.WriteString(w, tok.UserID)
}

// answer is a ResponseWriter that costs nothing.
type answer struct {
	header http.Header
	status int
	body   []byte
}

func (a *answer) Header() http.Header    { return a.header }
func (a *answer) WriteHeader(status int) { a.status = status }

func (a *answer) Write(b []byte) (int, error) {
	a.body = append(a.body, b...)
	return len(b), nil
}

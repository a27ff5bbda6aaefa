package httpadapter_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
	"github.com/patkit/pat/memory"
)

// BenchmarkVerify compares verify with a bare handler that decodes the same request with encoding/json and writes the
// same bytes and headers: over a loopback connection, as clients have it, and without the network, to see the handler
// alone.
func BenchmarkVerify(b *testing.B) {
	handler, body := verifyWork(b)
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, base+"/pats/verify", strings.NewReader(body)))
	if recorder.Code != http.StatusOK {
		b.Fatal(recorder.Code, recorder.Body)
	}
	floor := bareHandler(recorder.Body.Bytes())
	b.Run("loopback/floor", func(b *testing.B) { overLoopback(b, floor, body) })
	b.Run("loopback/ours", func(b *testing.B) { overLoopback(b, handler, body) })
	b.Run("handler/floor", func(b *testing.B) { withoutNetwork(b, floor, body) })
	b.Run("handler/ours", func(b *testing.B) { withoutNetwork(b, handler, body) })
}

// verifyWork returns the handler over a memory store with 1,000 tokens, and the body that presents one of them.
func verifyWork(b *testing.B) (handler http.Handler, body string) {
	b.Helper()
	store := memory.New()
	cfg := pat.Config{Scopes: pat.PublicFullScopes()}
	issuer, err := pat.NewIssuer(store, cfg)
	if err != nil {
		b.Fatal(err)
	}
	verifier, err := pat.NewVerifier(store, cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = verifier.Close(b.Context()) })
	for range 1000 {
		issued, err := issuer.Create(b.Context(), pat.CreateParams{UserID: "alice", GroupID: "1", Name: "ci"})
		if err != nil {
			b.Fatal(err)
		}
		body = `{"token":"` + issued.Value.Reveal() + `"}`
	}
	handler, err = httpadapter.New(httpadapter.Config{
		Issuer: issuer, Verifier: verifier, Authenticate: authenticate, Authorize: remember(new(string)),
	})
	if err != nil {
		b.Fatal(err)
	}
	return handler, body
}

func bareHandler(answer []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(answer)
	})
}

func overLoopback(b *testing.B, handler http.Handler, body string) {
	server := httptest.NewServer(handler)
	defer server.Close()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		for pb.Next() {
			r, err := http.NewRequest(http.MethodPost, server.URL+base+"/pats/verify", strings.NewReader(body))
			if err != nil {
				b.Error(err)
				return
			}
			res, err := transport.RoundTrip(r)
			if err != nil {
				b.Error(err)
				return
			}
			_, err = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			if err != nil || res.StatusCode != http.StatusOK {
				b.Error(res.StatusCode, err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

func withoutNetwork(b *testing.B, handler http.Handler, body string) {
	reader := strings.NewReader(body)
	r := httptest.NewRequest(http.MethodPost, base+"/pats/verify", io.NopCloser(reader))
	r.ContentLength = int64(len(body))
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		clear(w.header)
		handler.ServeHTTP(w, r)
	}
	if w.status != http.StatusOK || !bytes.HasPrefix(w.body, []byte(`{"tokenId"`)) {
		b.Fatal(w.status)
	}
}

// discard is a ResponseWriter that costs nothing.
type discard struct {
	header http.Header
	status int
	body   []byte
}

func (d *discard) Header() http.Header    { return d.header }
func (d *discard) WriteHeader(status int) { d.status = status }

func (d *discard) Write(b []byte) (int, error) {
	d.body = append(d.body[:0], b...)
	return len(b), nil
}

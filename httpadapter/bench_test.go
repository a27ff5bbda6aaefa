package httpadapter_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/internal/bench"
)

// BenchmarkVerify compares the verify route with a bare handler: over a loopback connection, as clients have it, and
// without the network, to see the handler alone.
func BenchmarkVerify(b *testing.B) { compare(b, verifyRoute(b)) }

// BenchmarkRequireToken does the same with the middleware.
func BenchmarkRequireToken(b *testing.B) { compare(b, guardedRoute(b)) }

func compare(b *testing.B, m measured) {
	b.Run("loopback", func(b *testing.B) {
		ours, bare := m.clients(b, m.ours), m.clients(b, m.bare)
		bench.ByTurns(b, bench.Series{Name: "request", Run: ours}, bench.Series{Name: "bare", Run: bare})
	})
	for _, handler := range []struct {
		name string
		http.Handler
	}{{"bare", m.bare}, {"ours", m.ours}} {
		b.Run("handler/"+handler.name, func(b *testing.B) {
			call := m.direct(b, handler)
			b.ReportAllocs()
			for b.Loop() {
				call()
			}
		})
	}
}

// clients returns a call that has eight clients make requests until there are bench.Turn of them, each on a connection
// of its own to a server on loopback that serves the handler.
func (m measured) clients(b *testing.B, handler http.Handler) func(int) {
	b.Helper()
	server := httptest.NewServer(handler)
	b.Cleanup(server.Close)
	const clients = 8
	var transports [clients]http.Transport
	b.Cleanup(func() {
		for i := range transports {
			transports[i].CloseIdleConnections()
		}
	})
	return func(int) {
		var done sync.WaitGroup
		for i := range transports {
			done.Go(func() {
				for range bench.Turn / clients {
					if err := m.roundTrip(b, &transports[i], server.URL); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		done.Wait()
	}
}

func (m measured) roundTrip(b *testing.B, client http.RoundTripper, url string) error {
	res, err := client.RoundTrip(m.request(b, url))
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	require.Equal(b, http.StatusOK, res.StatusCode)
	return err
}

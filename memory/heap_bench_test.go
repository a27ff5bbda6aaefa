package memory_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/bench"
	"github.com/patkit/pat/memory"
)

// BenchmarkHeap reports the heap that a token takes, with keys, indexes and owners (ten tokens to a group).
func BenchmarkHeap(b *testing.B) {
	const n = 1_000_000
	for b.Loop() {
		before := bench.Heap()
		store := memory.New()
		issuer, err := pat.NewIssuer(store, pat.Config{})
		require.NoError(b, err)
		for i := range n {
			if _, err := issuer.Create(context.Background(), bench.Params(i)); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(bench.Heap()-before)/n, "B/token")
		runtime.KeepAlive(store)
	}
}

package cache_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/cache"
	"github.com/patkit/pat/internal/bench"
	"github.com/patkit/pat/sqlite"
)

// BenchmarkHeap reports the heap that a record takes in a cache, with all that it was read with.
func BenchmarkHeap(b *testing.B) {
	const n = 20_000
	db, err := sqlite.Open(":memory:")
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	issuer, err := pat.NewIssuer(db, pat.Config{})
	require.NoError(b, err)
	var prefixes []string
	for i := range n {
		issued, err := issuer.Create(b.Context(), pat.CreateParams{
			UserID: fmt.Sprint("user-", i/10), GroupID: fmt.Sprint(i / 10), Name: "deploy", Scopes: []string{"read"},
		})
		require.NoError(b, err)
		prefixes = append(prefixes, issued.Token.Prefix)
	}
	for b.Loop() {
		before := bench.Heap()
		store := inFrontOf(b, db, cache.WithMaxEntries(2*n))
		for _, prefix := range prefixes {
			_, err := store.FindByPrefix(b.Context(), prefix)
			require.NoError(b, err)
		}
		b.ReportMetric(float64(bench.Heap()-before)/float64(store.Stats().Entries), "B/entry")
		runtime.KeepAlive(store)
	}
}

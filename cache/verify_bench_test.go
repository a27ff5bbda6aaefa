package cache_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/cache"
	"github.com/patkit/pat/internal/bench"
	"github.com/patkit/pat/memory"
)

// BenchmarkVerify measures Verifier.Verify through a cache that holds every token beside Verifier.Verify on the memory
// store itself.
func BenchmarkVerify(b *testing.B) {
	for _, n := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprintf("tokens=%d", n), func(b *testing.B) {
			behind := memory.New()
			values := bench.Fill(b, behind, n)
			// So that no lease ends, and that none is displaced, or next to none: as in a full table of another kind.
			store := inFrontOf(b, behind, cache.WithMaxEntries(8*n), cache.WithMaxStaleness(time.Hour))
			values = warm(b, store, values)
			direct, cached := newVerifier(b, behind, bench.Recently()), newVerifier(b, store, bench.Recently())
			b.Run("memory", func(b *testing.B) { bench.Verify(b, direct, values) })
			b.Run("cache", func(b *testing.B) { bench.Verify(b, cached, values) })
			b.Run("by-turns", func(b *testing.B) {
				// The values of one turn are not those of the other, since the records of the cache share strings with
				// those of the memory store, and who comes second would find them in the processor's cache.
				bench.ByTurns(b, bench.VerifyTurn(b, "cache", cached, values, len(values)/2),
					bench.VerifyTurn(b, "memory", direct, values, 0))
			})
			b.Run("cache-parallel", func(b *testing.B) { bench.VerifyParallel(b, cached, values) })
		})
	}
}

// warm has the cache read every token, and returns the values of those that it then holds.
func warm(tb testing.TB, store *cache.Store, values []string) []string {
	tb.Helper()
	ctx := context.Background()
	for _, value := range values {
		_, err := store.FindByPrefix(ctx, value[4:16])
		require.NoError(tb, err)
	}
	all := len(values)
	values = slices.DeleteFunc(slices.Clone(values), func(value string) bool {
		hits := store.Stats().Hits
		_, err := store.FindByPrefix(ctx, value[4:16])
		require.NoError(tb, err)
		return store.Stats().Hits == hits
	})
	require.Greater(tb, len(values), all*999/1000)
	return values
}

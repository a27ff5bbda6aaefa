package benchmarks

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/cache"
	"github.com/patkit/pat/memory"
)

// verifyPATMemory is this library over the store in process memory.
func verifyPATMemory(b *testing.B) {
	for _, n := range sizes(b, anySize) {
		b.Run(name("pat", "memory", n), func(b *testing.B) {
			store, valid := inMemory(b, n)
			measurePAT(b, store, recently, valid)
		})
	}
}

// verifyPATCache is this library over the cache, all of whose look-ups find their record: what a verification costs in
// front of any database, as long as the token was used lately. What stands behind is not asked.
func verifyPATCache(b *testing.B) {
	for _, n := range sizes(b, anySize) {
		b.Run(name("pat", "cache", n), func(b *testing.B) {
			behind, valid := inMemory(b, n)
			// So many places that none displaces another, and so long a staleness that none is read again.
			store, err := cache.New(behind, cache.WithMaxEntries(8*n), cache.WithMaxStaleness(time.Hour))
			require.NoError(b, err)
			verifier, err := pat.NewVerifier(store, recently)
			require.NoError(b, err)
			for _, c := range valid {
				_, err := verifier.Verify(b.Context(), c.value)
				require.NoError(b, err)
			}
			before := store.Stats()
			measurePAT(b, store, recently, valid)
			after := store.Stats()
			hits, misses := after.Hits-before.Hits, after.Misses-before.Misses
			require.Less(b, misses*1000, hits, "more than one look-up in a thousand went to the store behind")
		})
	}
}

func inMemory(b *testing.B, n int) (pat.Store, []credential) {
	b.Helper()
	store := memory.New()
	records, valid := issue(b, n)
	for _, rec := range records {
		require.NoError(b, store.Insert(b.Context(), rec, 0))
	}
	return store, valid
}

package cache_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/cache"
	"github.com/patkit/pat/memory"
	"github.com/patkit/pat/sqlite"
	"github.com/patkit/pat/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) pat.Store { return inFrontOf(t, memory.New()) })
}

// Seven entries are one set, so that nearly everything is displaced again.
func TestStoreThatIsTooSmall(t *testing.T) {
	storetest.Run(t, func(t *testing.T) pat.Store { return inFrontOf(t, memory.New(), cache.WithMaxEntries(1)) })
}

func TestStoreInFrontOfADatabase(t *testing.T) {
	storetest.Run(t, func(t *testing.T) pat.Store {
		s, err := sqlite.Open(":memory:")
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return inFrontOf(t, s)
	})
}

func BenchmarkStore(b *testing.B) {
	storetest.Benchmark(b, func(b *testing.B) pat.Store { return inFrontOf(b, memory.New()) })
}

func inFrontOf(tb testing.TB, store pat.Store, opts ...cache.Option) *cache.Store {
	tb.Helper()
	s, err := cache.New(store, opts...)
	require.NoError(tb, err)
	return s
}

package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/sqlite"
	"github.com/patkit/pat/storetest"
)

func TestStore(t *testing.T) { storetest.Run(t, inFile) }

func TestStoreInMemory(t *testing.T) { storetest.Run(t, inMemory) }

func BenchmarkStore(b *testing.B) {
	b.Run("file", func(b *testing.B) { storetest.Benchmark(b, inFile[*testing.B]) })
	b.Run("memory", func(b *testing.B) { storetest.Benchmark(b, inMemory[*testing.B]) })
}

func inFile[T testing.TB](t T) pat.Store { return open(t, filepath.Join(t.TempDir(), "pat.db")) }

func inMemory[T testing.TB](t T) pat.Store { return open(t, ":memory:") }

// open opens a store that is closed with the test.
func open(t testing.TB, path string, opts ...sqlite.Option) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(path, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

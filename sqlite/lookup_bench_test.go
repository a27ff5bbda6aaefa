package sqlite

import (
	"database/sql/driver"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/internal/bench"
)

// BenchmarkLookUp takes the look-up of a verification to pieces, with 100,000 tokens: with the lock that a reader takes
// kept by another connection, as a [keeper] does; without the map of the file; with each look-up taking the lock; and a
// statement that reads nothing, which is what Go, the driver and the calls into C take.
func BenchmarkLookUp(b *testing.B) {
	records, _ := bench.Records(b, 100_000)
	path := filepath.Join(b.TempDir(), "pat.db")
	s, err := Open(path)
	require.NoError(b, err)
	fill(b, s, records)
	require.NoError(b, s.Close()) // folds the log into the file
	mapped, other := reader(b, path), reader(b, path)
	unmapped := reader(b, path, WithoutMmap())
	nothing, err := mapped.prepare("SELECT 1 WHERE ? IS NOT NULL")
	require.NoError(b, err)

	run := func(name string, c *session, s stmt, columns int) {
		row := make([]driver.Value, columns)
		b.Run(name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if err := c.first(row, s, records[i%len(records)].Token.Prefix); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	require.NoError(b, other.exec("BEGIN; SELECT count(*) FROM pat_schema"))
	run("lock kept", mapped, mapped.reads.packed, packedColumns)
	run("lock kept, no map", unmapped, unmapped.reads.packed, packedColumns)
	require.NoError(b, other.exec("COMMIT"))
	run("lock taken", mapped, mapped.reads.packed, packedColumns)
	run("nothing read", mapped, nothing, 1)
}

// reader returns a connection of a store of its own.
func reader(b *testing.B, path string, opts ...Option) *session {
	b.Helper()
	s, err := Open(path, opts...)
	require.NoError(b, err)
	c, err := s.readers.acquire(b.Context(), s.closed)
	require.NoError(b, err)
	b.Cleanup(func() {
		s.readers.release(c)
		require.NoError(b, s.Close())
	})
	return c
}

package sqlite

import (
	"database/sql/driver"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/internal/bench"
)

// BenchmarkLookUp takes the look-up of a verification to pieces. Beside the whole of it stands one for which another
// connection of this process keeps the lock that a reader takes, so that two system calls are saved; and a statement
// that reads nothing, which is what Go, the driver and the calls into C take.
func BenchmarkLookUp(b *testing.B) {
	records, _ := bench.Records(b, 1000)
	path := filepath.Join(b.TempDir(), "pat.db")
	s, err := Open(path)
	require.NoError(b, err)
	fill(b, s, records)
	require.NoError(b, s.Close()) // folds the log into the file
	s, err = Open(path)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	c, err := s.readers.acquire(b.Context(), s.closed)
	require.NoError(b, err)
	defer s.readers.release(c)
	other, err := s.readers.acquire(b.Context(), s.closed)
	require.NoError(b, err)
	defer s.readers.release(other)
	nothing, err := c.prepare("SELECT 1 WHERE ? IS NOT NULL")
	require.NoError(b, err)

	run := func(name string, s stmt, columns int) {
		row := make([]driver.Value, columns)
		b.Run(name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if err := c.first(row, s, records[i%len(records)].Token.Prefix); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("whole", c.reads.packed, packedColumns)
	require.NoError(b, other.exec("BEGIN; SELECT count(*) FROM pat_tokens"))
	run("another keeps the lock", c.reads.packed, packedColumns)
	require.NoError(b, other.exec("COMMIT"))
	run("nothing read", nothing, 1)
}

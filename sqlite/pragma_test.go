package sqlite

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// largestMap is what SQLite is built for by default.
const largestMap = "2147418112"

func TestEveryConnectionHasItsPragmas(t *testing.T) {
	file := testStore(t, filepath.Join(t.TempDir(), "pat.db"))
	require.GreaterOrEqual(t, len(file.readers.stack), minReaders)
	common := map[string]string{"synchronous": "2", "foreign_keys": "1", "fullfsync": "1", "trusted_schema": "0", "temp_store": "2"}
	check := func(c *session, pragmas map[string]string) {
		for name, want := range pragmas {
			assert.Equal(t, want, fmt.Sprint(valueOf(t, c, "PRAGMA "+name)), name)
		}
	}
	for i, c := range sessions(file) {
		check(c, common)
		check(c, map[string]string{"journal_mode": "wal"})
		switch {
		case i == 0:
			check(c, map[string]string{"query_only": "0", "busy_timeout": "0", "mmap_size": "0"})
		case file.keeper != nil && c == file.keeper.session:
			check(c, map[string]string{"query_only": "1", "busy_timeout": "0", "mmap_size": "0"})
		default:
			check(c, map[string]string{"query_only": "1", "busy_timeout": "1234", "mmap_size": largestMap})
		}
	}
	memory := sessions(testStore(t, ":memory:"))
	require.Len(t, memory, 1)
	check(memory[0], common)
	check(memory[0], map[string]string{"journal_mode": "memory", "query_only": "0"})
}

func TestNothingIsMappedIfTheHostSaysSo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pat.db")
	for size, opts := range map[string][]Option{largestMap: nil, "0": {WithoutMmap()}} {
		s, err := Open(path, opts...)
		require.NoError(t, err)
		for _, c := range s.readers.stack {
			assert.Equal(t, size, fmt.Sprint(valueOf(t, c, "PRAGMA mmap_size")))
		}
		require.NoError(t, s.Close())
	}
}

func TestAPragmaThatDoesNotHoldIsAnError(t *testing.T) {
	conn, err := (&sqlite3.SQLiteDriver{}).Open(":memory:")
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	// A database in memory can't have a write-ahead log, and SQLite says nothing.
	err = apply(conn.(*sqlite3.SQLiteConn), []pragma{{name: "journal_mode", value: "WAL", reads: "wal"}})
	assert.ErrorContains(t, err, "journal_mode = WAL")
	assert.NoError(t, apply(conn.(*sqlite3.SQLiteConn), []pragma{{name: "unheard_of", value: "1"}}), "which makes a difference in speed only")
}

func TestAPragmaThatCannotBeSetOrReadBackIsAnError(t *testing.T) {
	conn, err := (&sqlite3.SQLiteDriver{}).Open(":memory:")
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	c := conn.(*sqlite3.SQLiteConn)
	for _, denied := range []string{"ON", ""} {
		c.RegisterAuthorizer(func(action int, _, value, _ string) int {
			if action == sqlite3.SQLITE_PRAGMA && value == denied {
				return sqlite3.SQLITE_DENY
			}
			return sqlite3.SQLITE_OK
		})
		e, ok := errors.AsType[sqlite3.Error](apply(c, []pragma{{name: "foreign_keys", value: "ON", reads: "1"}}))
		assert.True(t, ok)
		assert.Equal(t, sqlite3.ErrAuth, e.Code)
	}
}

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

func TestEveryConnectionHasItsPragmas(t *testing.T) {
	file := testStore(t, filepath.Join(t.TempDir(), "pat.db"))
	require.GreaterOrEqual(t, len(file.readers.stack), minReaders)
	common := map[string]string{"synchronous": "2", "foreign_keys": "1", "fullfsync": "1", "trusted_schema": "0"}
	check := func(c *session, pragmas map[string]string) {
		for name, want := range pragmas {
			assert.Equal(t, want, fmt.Sprint(valueOf(t, c, "PRAGMA "+name)), name)
		}
	}
	for i, c := range sessions(file) {
		check(c, common)
		check(c, map[string]string{"journal_mode": "wal"})
		if i == 0 {
			check(c, map[string]string{"query_only": "0", "busy_timeout": "0", "mmap_size": "0"})
		} else {
			check(c, map[string]string{"query_only": "1", "busy_timeout": "1234", "mmap_size": "2147418112"})
		}
	}
	memory := sessions(testStore(t, ":memory:"))
	require.Len(t, memory, 1)
	check(memory[0], common)
	check(memory[0], map[string]string{"journal_mode": "memory", "query_only": "0"})
}

// Taking rights away after the fact would leave a moment in which somebody else could open the file, and keep it open.
func TestANewFileIsPrivateFromTheFirstMoment(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	for _, umask := range []int{0, 0o777} {
		t.Run(fmt.Sprintf("umask %o", umask), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "pat.db")
			syscall.Umask(umask)
			file, err := findFile(path)
			require.NoError(t, err)
			defer file.cleanUp()
			conn, err := newConnector(file, roleWriter, time.Second).connect()
			syscall.Umask(0)
			require.NoError(t, err)
			defer func() { require.NoError(t, conn.Close()) }()
			info, err := os.Stat(path) // which SQLite's own files beside it copy their mode from
			require.NoError(t, err)
			assert.Equal(t, fileMode, info.Mode())
		})
	}
}

func TestAPragmaThatDoesNotHoldIsAnError(t *testing.T) {
	conn, err := (&sqlite3.SQLiteDriver{}).Open(":memory:")
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	// A database in memory can't have a write-ahead log, and SQLite says nothing.
	err = apply(conn.(*sqlite3.SQLiteConn), []pragma{{"journal_mode", "WAL", "wal", false}})
	assert.ErrorContains(t, err, "journal_mode = WAL")
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
		e, ok := errors.AsType[sqlite3.Error](apply(c, []pragma{{"foreign_keys", "ON", "1", false}}))
		assert.True(t, ok)
		assert.Equal(t, sqlite3.ErrAuth, e.Code)
	}
}

func TestErrorsOfSQLiteAreTranslated(t *testing.T) {
	for _, c := range []struct {
		err  sqlite3.Error
		want error
	}{
		{sqlite3.Error{Code: sqlite3.ErrNotADB}, ErrNotADatabase},
		{sqlite3.Error{Code: sqlite3.ErrCorrupt}, pat.ErrCorrupt},
		{sqlite3.Error{Code: sqlite3.ErrFull}, syscall.ENOSPC},
		{sqlite3.Error{Code: sqlite3.ErrReadonly}, syscall.EROFS},
		{sqlite3.Error{Code: sqlite3.ErrCantOpen, SystemErrno: syscall.EACCES}, fs.ErrPermission},
		{sqlite3.Error{Code: sqlite3.ErrIoErr, SystemErrno: syscall.EDQUOT}, syscall.EDQUOT},
	} {
		err := fault("open", c.err)
		assert.ErrorIs(t, err, c.want)
		assert.ErrorIs(t, err, c.err, "the cause stays")
	}
}

// Where a context ends while a statement runs, SQLite says that the statement was interrupted.
func TestAMethodWhoseContextEndedReturnsTheContextsError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	interrupted := sqlite3.Error{Code: sqlite3.ErrInterrupt}
	assert.ErrorIs(t, failed(ctx, "list", interrupted), interrupted)
	cancel()
	assert.Equal(t, context.Canceled, failed(ctx, "list", interrupted))
}

func TestTheLongestBusyTimeoutIsOneThatSQLiteTakes(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "pat.db"), WithBusyTimeout(maxBusyTimeout))
	require.NoError(t, err)
	assert.NoError(t, s.Close())
}

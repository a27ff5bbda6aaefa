package sqlite

import (
	"context"
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
			conn, err := newConnector(file, roleWriter, options{busyTimeout: time.Second}).connect()
			syscall.Umask(0)
			require.NoError(t, err)
			defer func() { require.NoError(t, conn.Close()) }()
			info, err := os.Stat(path) // which SQLite's own files beside it copy their mode from
			require.NoError(t, err)
			assert.Equal(t, fileMode, info.Mode())
		})
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

package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

// SQLite takes the write-ahead log away when the last connection goes. If it is still there, a connection is still
// open, with its file.
func TestCloseLeavesNoConnectionOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pat.db")
	store, err := Open(path)
	require.NoError(t, err)
	assert.FileExists(t, path+"-wal")
	require.NoError(t, store.Close())
	assert.NoFileExists(t, path+"-wal")
	assert.NoFileExists(t, path+"-shm")
}

func TestClose(t *testing.T) {
	for name, path := range map[string]string{"file": filepath.Join(t.TempDir(), "pat.db"), "memory": ":memory:"} {
		t.Run(name, func(t *testing.T) {
			s, rec := testStore(t, path), testRecord(t)
			c, err := s.readers.acquire(t.Context(), s.closed)
			require.NoError(t, err)
			done := make(chan error)
			go func() { done <- s.Close() }()
			<-s.closed
			select {
			case err := <-done:
				require.NoError(t, err)
				t.Error("Close did not wait for a call in progress")
			default:
			}
			s.readers.release(c)
			require.NoError(t, <-done)
			require.NoError(t, s.Close(), "closing again is harmless")

			ctx := t.Context()
			calls := map[string]error{
				"Insert": s.Insert(ctx, rec, 0), "Touch": s.Touch(ctx, nil),
				"Rotate": s.Rotate(ctx, pat.Rotation{OldID: rec.Token.ID, At: created, New: rec}),
			}
			_, calls["FindByPrefix"] = s.FindByPrefix(ctx, "prefix")
			_, calls["FindByID"] = s.FindByID(ctx, rec.Token.ID)
			_, calls["List"] = s.List(ctx, pat.ListQuery{Owner: pat.Owner{UserID: "user"}, Limit: 1})
			_, _, calls["Revoke"] = s.Revoke(ctx, rec.Token.ID, created)
			_, calls["RevokeAll"] = s.RevokeAll(ctx, pat.Owner{UserID: "user"}, created)
			_, calls["ReplaceDigest"] = s.ReplaceDigest(ctx, "prefix", rec.Digest, rec.Digest)
			_, calls["Purge"] = s.Purge(ctx, created, 1)
			for method, err := range calls {
				assert.ErrorIs(t, err, fs.ErrClosed, method)
				for _, sentinel := range []error{pat.ErrInvalidToken, pat.ErrNotFound, pat.ErrCorrupt, pat.ErrExists, pat.ErrInvalidArgument} {
					assert.NotErrorIs(t, err, sentinel, method)
				}
			}
		})
	}
}

func TestCloseSaysWhatItCouldNotClose(t *testing.T) {
	s, err := Open(":memory:")
	require.NoError(t, err)
	c := sessions(s)[0]
	c.conn = &unclosable{c.conn}
	for range 2 {
		err = s.Close()
		assert.ErrorIs(t, err, errDisk)
		assert.ErrorContains(t, err, "sqlite: close")
	}
}

// unclosable is a connection that reports an error when it is closed.
type unclosable struct{ conn }

func (c *unclosable) Close() error { return errors.Join(c.conn.Close(), errDisk) }

func TestFilesAreClosedAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pat.db")
	garbage := filepath.Join(t.TempDir(), "garbage")
	require.NoError(t, os.WriteFile(garbage, []byte(strings.Repeat("garbage", 1000)), 0o600))
	for range 3 {
		s, err := Open(path)
		require.NoError(t, err)
		require.NoError(t, s.Close())
		_, err = Open(garbage)
		require.Error(t, err)
	}
	links, err := filepath.Glob("/proc/self/fd/*") // none, and nothing to see, where there is no such folder
	require.NoError(t, err)
	for _, link := range links {
		target, err := os.Readlink(link)
		if err == nil {
			assert.NotContains(t, target, filepath.Dir(path))
			assert.NotContains(t, target, filepath.Dir(garbage))
		}
	}
}

func TestCloseDoesTheWritesThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, rec := testStore(t, ":memory:"), testRecord(t)
		c, err := s.writer.acquire(t.Context(), s.closed)
		require.NoError(t, err)
		outcome := make(chan error, 1)
		go func() { outcome <- s.Insert(t.Context(), rec, 0) }()
		synctest.Wait()
		closed := make(chan error, 1)
		go func() { closed <- s.Close() }()
		synctest.Wait()
		assert.ErrorIs(t, s.Insert(t.Context(), nextRecord(rec), 0), errClosed, "who comes later")
		s.writer.release(c)
		assert.NoError(t, <-outcome)
		assert.NoError(t, <-closed)
	})
}

func TestCloseDoesTheWriteOfACallerWhoDoesNotYetLookForTheConnection(t *testing.T) {
	s, err := Open(":memory:")
	require.NoError(t, err)
	did := false
	w := &write{ctx: t.Context(), done: make(chan struct{}), work: func(*session) error { did = true; return nil }}
	require.True(t, s.queue.add(w))
	require.NoError(t, s.Close())
	assert.True(t, did)
	<-w.done
	assert.NoError(t, w.err)
}

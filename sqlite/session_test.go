package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

func TestACanceledWriteChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pat.db")
	rec := testRecord(t)
	s, err := Open(path, WithBusyTimeout(time.Hour)) // so that only the context can end a wait
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	t.Run("while another process holds the lock", func(t *testing.T) {
		other := testStore(t, path)
		c, err := other.writer.acquire(t.Context(), other.closed)
		require.NoError(t, err)
		require.NoError(t, c.begin(t.Context(), time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		assert.ErrorIs(t, s.Insert(ctx, rec, 0), context.DeadlineExceeded)
		assert.Error(t, c.end(context.Canceled))
		other.writer.release(c)
	})
	t.Run("while another call has the connection", func(t *testing.T) {
		c, err := s.writer.acquire(t.Context(), s.closed)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		assert.ErrorIs(t, s.Insert(ctx, rec, 0), context.DeadlineExceeded)
		s.writer.release(c)
	})
	t.Run("just before the commit", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.transact(ctx, "test", func(c *session) error {
			row, err := encode(rec)
			require.NoError(t, err)
			defer cancel()
			return c.insert(row)
		})
		assert.ErrorIs(t, err, context.Canceled)
	})
	_, err = s.FindByPrefix(t.Context(), rec.Token.Prefix)
	assert.ErrorIs(t, err, pat.ErrNotFound)
	require.NoError(t, s.Insert(t.Context(), rec, 0), "the connection is as before")
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

func TestAStoreNotMadeByOpenSaysSo(t *testing.T) {
	var s Store
	_, err := s.FindByPrefix(t.Context(), "prefix")
	assert.ErrorContains(t, err, "not made by Open")
	assert.ErrorContains(t, s.Touch(t.Context(), nil), "not made by Open")
	assert.NoError(t, s.Close())
}

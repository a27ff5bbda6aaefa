package sqlite

import (
	"context"
	"path/filepath"
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

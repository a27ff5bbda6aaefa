package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

func TestNobodyCountsOrAddsBetweenAnothersCountingAndCommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pat.db")
	one := testStore(t, path)
	other, err := Open(path, WithBusyTimeout(time.Millisecond)) // so that it soon says that it has to wait
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	const limit = 1
	first, second := testRecord(t), testRecord(t)
	second.Token.ID, second.Token.Prefix = "0199c0de-0000-7000-8000-000000000002", "another"
	insertOther := func() error { return other.Insert(t.Context(), second, limit) }

	require.NoError(t, one.transact(t.Context(), "test", func(c *session) error {
		counts, err := c.counts(1, c.writes.countGroup, first.Token.GroupID, int64(limit), first.Token.CreatedAt.UnixMicro())
		require.NoError(t, err)
		require.Zero(t, counts[0])
		assert.True(t, isBusy(insertOther()), "one has counted")
		row, err := encode(first)
		require.NoError(t, err)
		require.NoError(t, c.insert(row))
		assert.True(t, isBusy(insertOther()), "one has added")
		return nil
	}))
	assert.ErrorIs(t, insertOther(), pat.ErrLimitReached, "one has committed")
	tokens, err := other.List(t.Context(), pat.ListQuery{Owner: pat.Owner{GroupID: first.Token.GroupID}, Limit: 10})
	require.NoError(t, err)
	assert.Len(t, tokens, 1)
}

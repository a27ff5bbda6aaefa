package sqlite

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

func TestTouchRefusesATimeThatItCouldNotReadBack(t *testing.T) {
	s, rec := testStore(t, ":memory:"), testRecord(t)
	require.NoError(t, s.Insert(t.Context(), rec, 0))
	for _, at := range []time.Time{{}, created.AddDate(-1000, 0, 0), created.AddDate(10_000, 0, 0)} {
		uses := []pat.Use{{Prefix: rec.Token.Prefix, At: created}, {Prefix: rec.Token.Prefix, At: at}}
		assert.ErrorIs(t, s.Touch(t.Context(), uses), pat.ErrInvalidArgument)
		got, err := s.FindByPrefix(t.Context(), rec.Token.Prefix)
		require.NoError(t, err)
		assert.Equal(t, rec, got)
	}
}

func TestTouchDoesNotWorkOnBehindTheEndOfItsContext(t *testing.T) {
	s, rec := testStore(t, ":memory:"), testRecord(t)
	require.NoError(t, s.Insert(t.Context(), rec, 0))
	var uses []pat.Use
	for n := range 1000 {
		uses = append(uses, pat.Use{Prefix: rec.Token.Prefix, At: created.Add(time.Duration(n+1) * time.Second)})
	}
	changes := func() int64 {
		return valueOf(t, sessions(s)[0], "SELECT total_changes()").(int64) // also counts what was rolled back
	}
	before := changes()
	ctx := &endingContext{Context: t.Context(), looks: 10}
	assert.ErrorIs(t, s.Touch(ctx, uses), context.Canceled)
	assert.Less(t, changes()-before, int64(10))
	got, err := s.FindByPrefix(t.Context(), rec.Token.Prefix)
	require.NoError(t, err)
	assert.Zero(t, got.Token.LastUsedAt)
}

// endingContext ends after somebody has asked it a number of times whether it has. database/sql also asks from a
// goroutine of its own.
type endingContext struct {
	context.Context //nolint:containedctx // it is one itself
	mu              sync.Mutex
	looks           int
}

func (c *endingContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.looks == 0 {
		return context.Canceled
	}
	c.looks--
	return nil
}

func TestALimitBelowOneSelectsNothing(t *testing.T) {
	s, rec := testStore(t, ":memory:"), testRecord(t)
	rec.Token.ExpiresAt = created
	require.NoError(t, s.Insert(t.Context(), rec, 0))
	for _, limit := range []int{0, -1} {
		n, err := s.Purge(t.Context(), created.Add(time.Hour), limit)
		require.NoError(t, err)
		assert.Zero(t, n)
		tokens, err := s.List(t.Context(), pat.ListQuery{Owner: pat.Owner{UserID: "user"}, Limit: limit})
		require.NoError(t, err)
		assert.Empty(t, tokens)
	}
	n, err := s.Purge(t.Context(), created.Add(time.Hour), 1)
	require.NoError(t, err)
	assert.Equal(t, 1, n)
}

// Making room in the group would not help.
func TestATakenPrefixIsSaidOfAFullGroupToo(t *testing.T) {
	s, rec := testStore(t, ":memory:"), testRecord(t)
	require.NoError(t, s.Insert(t.Context(), rec, 1))
	other := nextRecord(rec)
	other.Token.Prefix = rec.Token.Prefix
	assert.ErrorIs(t, s.Insert(t.Context(), other, 1), pat.ErrExists)
}

func TestADigestIsNotReplacedByNone(t *testing.T) {
	s, rec := testStore(t, ":memory:"), testRecord(t)
	require.NoError(t, s.Insert(t.Context(), rec, 0))
	replaced, err := s.ReplaceDigest(t.Context(), rec.Token.Prefix, rec.Digest, pat.Digest{})
	assert.ErrorIs(t, err, pat.ErrInvalidArgument)
	assert.False(t, replaced)
}

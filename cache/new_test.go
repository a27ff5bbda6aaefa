package cache_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/cache"
	"github.com/patkit/pat/memory"
)

func TestNewTellsWhichArgumentIsWrong(t *testing.T) {
	for argument, c := range map[string]struct {
		store pat.Store
		opts  []cache.Option
	}{
		"store":            {nil, nil},
		"WithMaxStaleness": {memory.New(), []cache.Option{cache.WithMaxStaleness(10*time.Millisecond - 1)}},
		"WithMaxEntries":   {memory.New(), []cache.Option{cache.WithMaxEntries(0)}},
		"OnFeedError":      {memory.New(), []cache.Option{cache.OnFeedError(nil)}},
	} {
		t.Run(argument, func(t *testing.T) { requireArgument(t, argument, c.store, c.opts...) })
	}
	requireArgument(t, "WithMaxStaleness", memory.New(), cache.WithMaxStaleness(time.Hour+1))
	requireArgument(t, "WithMaxEntries", memory.New(), cache.WithMaxEntries(1<<28+1))
	for _, opt := range []cache.Option{
		cache.WithMaxStaleness(10 * time.Millisecond), cache.WithMaxStaleness(time.Hour), cache.WithMaxEntries(1), cache.OnFeedError(func(error) {}),
	} {
		inFrontOf(t, memory.New(), opt)
	}
}

func requireArgument(t *testing.T, argument string, store pat.Store, opts ...cache.Option) {
	t.Helper()
	s, err := cache.New(store, opts...)
	var wrong *pat.ArgumentError
	require.ErrorAs(t, err, &wrong)
	assert.Equal(t, argument, wrong.Argument)
	assert.Nil(t, s)
}

// replica says of its reads whether they may be stale.
type replica struct {
	pat.Store
	stale bool
}

func (r replica) StaleReads() bool { return r.stale }

func TestAStoreWhoseReadsMayBeStaleIsRefused(t *testing.T) {
	_, err := cache.New(replica{memory.New(), true})
	require.ErrorIs(t, err, cache.ErrStaleStore)
	inFrontOf(t, replica{memory.New(), false})
}

// The bounds of two caches would add up, and the one behind tells nobody of its own.
func TestACacheInFrontOfACacheIsRefused(t *testing.T) {
	_, err := cache.New(inFrontOf(t, memory.New()))
	require.ErrorIs(t, err, cache.ErrStaleStore)
}

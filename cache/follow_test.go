package cache_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/cache"
	"github.com/patkit/pat/memory"
)

func TestRunOverAStoreWithoutAFeedSaysSo(t *testing.T) {
	require.ErrorIs(t, inFrontOf(t, memory.New()).Run(t.Context()), cache.ErrNoFeed)
}

func TestRunRunsOnceAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newFeed()
		store := inFrontOf(t, db)
		for range 2 {
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- store.Run(ctx) }()
			<-db.within
			require.ErrorIs(t, store.Run(ctx), cache.ErrRunning)
			cancel()
			require.ErrorIs(t, <-ended, context.Canceled)
		}
	})
}

func TestRunEndsWithItsContext(t *testing.T) {
	for name, whileTrying := range map[string]bool{"while it follows the feed": false, "in a pause": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
				db := newFeed()
				var told []error
				store := inFrontOf(t, db, cache.OnFeedError(func(err error) { told = append(told, err) }))
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				began := time.Now()
				if whileTrying {
					store = inFrontOf(t, failing{db, errDown}, cache.OnFeedError(func(err error) { told = append(told, err) }))
				}
				require.ErrorIs(t, store.Run(ctx), context.DeadlineExceeded)
				require.Equal(t, time.Second, time.Since(began))
				assert.Equal(t, whileTrying, len(told) > 0, "that it is to end is no failure of the feed")
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		db := newFeed()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, inFrontOf(t, db).Run(ctx), context.Canceled)
		require.Empty(t, db.within, "a context that is done begins nothing")
	})
}

// failing is a feed that can't be watched.
type failing struct {
	*feed
	err error
}

func (f failing) Watch(context.Context, time.Duration, pat.ChangeWatcher) error { return f.err }

func TestAFeedIsAskedToProveItselfWithinTheMaximumStalenessAndWithinTenSeconds(t *testing.T) {
	for staleness, within := range map[time.Duration]time.Duration{
		10 * time.Millisecond: 10 * time.Millisecond, time.Second: time.Second, time.Hour: 10 * time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			db := newFeed()
			follow(t, inFrontOf(t, db, cache.WithMaxStaleness(staleness)))
			require.Equal(t, within, <-db.within)
		})
	}
}

func TestAFeedThatBreaksIsFollowedAgainAfterPausesThatGrowUntilOneBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newFeed()
		var told []error
		var pauses []time.Duration
		store := inFrontOf(t, db, cache.OnFeedError(func(err error) { told = append(told, err) }))
		follow(t, store)
		<-db.within
		breaks := func() {
			err := errors.New("the connection is gone")
			db.fail(err)
			began := time.Now()
			<-db.within
			pauses = append(pauses, time.Since(began))
			require.ErrorIs(t, told[len(told)-1], err)
		}
		for range 10 {
			breaks()
		}
		db.current(time.Now())
		breaks()
		breaks()
		t.Log(pauses)
		middle := 50 * time.Millisecond
		for i, pause := range pauses {
			if i == 10 {
				middle = 50 * time.Millisecond // a session had begun
			}
			assert.GreaterOrEqual(t, pause, middle/2, i)
			assert.Less(t, pause, middle*3/2, i)
			middle = min(2*middle, 2*time.Second)
		}
		assert.NotEqual(t, pauses[8], pauses[9], "chance keeps two processes apart, of which both are at the longest pause")
		require.Len(t, told, 12)
		require.EqualValues(t, 12, store.Stats().FeedFailures)
		require.EqualValues(t, 1, store.Stats().FeedSessions)
	})
}

// What a database tells of before it says from when on it tells of everything, is true nevertheless.
func TestAChangeIsTakenBeforeTheFirstProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store, tok := withFollowedToken(t)
		find(t, store, tok.Prefix)
		revoke(t, db.held, tok)
		db.changed(tok.Prefix)
		require.True(t, find(t, store, tok.Prefix).Revoked())
	})
}

func TestAChangeOfOneTokenLeavesTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newFeed()
		store := inFrontOf(t, db)
		follow(t, store)
		a, b := issue(t, db).Token, issue(t, db).Token
		db.current(time.Now())
		find(t, store, a.Prefix)
		find(t, store, b.Prefix)
		require.Equal(t, 2, db.lookups())
		db.changed(a.Prefix)
		find(t, store, a.Prefix)
		find(t, store, b.Prefix)
		require.Equal(t, 1, db.lookups())
		require.NoError(t, revokeAllOf(t, store, pat.Owner{UserID: "bob"}))
		_, _, err := store.Revoke(t.Context(), "0199c0de-0000-7000-8000-00000000a00a", stamp())
		require.ErrorIs(t, err, pat.ErrNotFound)
		find(t, store, a.Prefix)
		find(t, store, b.Prefix)
		require.Zero(t, db.lookups())
	})
}

func revokeAllOf(t *testing.T, store pat.Store, owner pat.Owner) error {
	_, err := store.RevokeAll(t.Context(), owner, stamp())
	return err
}

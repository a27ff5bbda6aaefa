package cache_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/cache"
	"github.com/patkit/pat/storetest"
)

// change is something that happens to a token, or to a prefix that is absent so far, and that every call sees which
// starts later.
type change struct {
	name   string
	absent bool // it is about rec, which is not there yet
	make   func(c *changed) error
	// elsewhere says that it is made elsewhere, and then only told of here.
	elsewhere bool
	// fails says that it is made on a store whose answer is an error although the write was done.
	fails bool
}

// changed is a token in a database with a cache in front of it.
type changed struct {
	db    *feed
	cache *cache.Store
	rec   pat.Record
}

func changes() []change {
	ctx := context.Background()
	alice := pat.Owner{UserID: "alice"}
	revoke := func(c *changed) error {
		_, _, err := c.cache.Revoke(ctx, c.rec.Token.ID, stamp())
		return err
	}
	revokeAll := func(owner pat.Owner) func(c *changed) error {
		return func(c *changed) error {
			_, err := c.cache.RevokeAll(ctx, owner, stamp())
			return err
		}
	}
	rotate := func(grace time.Duration) func(c *changed) error {
		return func(c *changed) error {
			return c.cache.Rotate(ctx, pat.Rotation{OldID: c.rec.Token.ID, At: stamp(), End: stamp().Add(grace), New: another(c.rec)})
		}
	}
	insert := func(c *changed) error { return c.cache.Insert(ctx, c.rec, 0) }
	rotateTo := func(c *changed) error {
		old := another(c.rec)
		if err := c.db.held.Insert(ctx, old, 0); err != nil {
			return err
		}
		next := c.rec
		next.Token.RotatedFrom = old.Token.ID
		return c.cache.Rotate(ctx, pat.Rotation{OldID: old.Token.ID, At: stamp(), End: stamp(), New: next})
	}
	revokeElsewhere := func(c *changed) error {
		_, _, err := c.db.held.Revoke(ctx, c.rec.Token.ID, stamp())
		return err
	}
	return []change{
		{name: "Revoke", make: revoke},
		{name: "Revoke whose answer got lost", make: revoke, fails: true},
		{name: "RevokeAll of the user", make: revokeAll(alice)},
		{name: "RevokeAll of the group", make: revokeAll(pat.Owner{GroupID: "1"})},
		{name: "RevokeAll of the user in the group", make: revokeAll(pat.Owner{UserID: "alice", GroupID: "1"})},
		{name: "RevokeAll whose answer got lost", make: revokeAll(alice), fails: true},
		{name: "Rotate without grace", make: rotate(0)},
		{name: "Rotate with grace", make: rotate(time.Hour)},
		{name: "Rotate whose answer got lost", make: rotate(0), fails: true},
		{name: "ReplaceDigest", make: func(c *changed) error {
			_, err := c.cache.ReplaceDigest(ctx, c.rec.Token.Prefix, c.rec.Digest, another(c.rec).Digest)
			return err
		}},
		{name: "ReplaceDigest that finds it replaced", elsewhere: true, make: func(c *changed) error {
			next := another(c.rec).Digest
			if _, err := c.db.held.ReplaceDigest(ctx, c.rec.Token.Prefix, c.rec.Digest, next); err != nil {
				return err
			}
			_, err := c.cache.ReplaceDigest(ctx, c.rec.Token.Prefix, c.rec.Digest, next)
			return err
		}},
		{name: "Touch", make: func(c *changed) error {
			return c.cache.Touch(ctx, []pat.Use{{Prefix: "absentPrefix", At: stamp()}, {Prefix: c.rec.Token.Prefix, At: stamp()}})
		}},
		{name: "Purge of what has expired", make: func(c *changed) error {
			_, err := c.cache.Purge(ctx, c.rec.Token.ExpiresAt.Add(time.Hour), 10)
			return err
		}},
		{name: "Purge of what was revoked elsewhere", make: func(c *changed) error {
			if err := revokeElsewhere(c); err != nil {
				return err
			}
			_, err := c.cache.Purge(ctx, stamp().Add(time.Microsecond), 10)
			return err
		}},
		{name: "a revocation elsewhere that the feed tells of", elsewhere: true, make: func(c *changed) error {
			err := revokeElsewhere(c)
			c.db.changed(c.rec.Token.Prefix)
			return err
		}},
		{name: "a revocation elsewhere when the feed tells of any", elsewhere: true, make: func(c *changed) error {
			err := revokeElsewhere(c)
			c.db.changed("")
			return err
		}},

		{name: "Insert", absent: true, make: insert},
		{name: "Insert whose answer got lost", absent: true, make: insert, fails: true},
		{name: "Rotate to it", absent: true, make: rotateTo},
		{name: "Rotate to it whose answer got lost", absent: true, make: rotateTo, fails: true},
		{name: "a creation elsewhere that the feed tells of", absent: true, elsewhere: true, make: func(c *changed) error {
			err := c.db.held.Insert(ctx, c.rec, 0)
			c.db.changed(c.rec.Token.Prefix)
			return err
		}},
		{name: "a creation elsewhere when the feed tells of any", absent: true, elsewhere: true, make: func(c *changed) error {
			err := c.db.held.Insert(ctx, c.rec, 0)
			c.db.changed("")
			return err
		}},
	}
}

// another returns a record of the same owner.
func another(rec pat.Record) pat.Record {
	const id, prefix = "0199c0de-0000-7000-8000-00000000a00a", "anotherToken"
	rec.Token.ID, rec.Token.Prefix = id, prefix
	d, err := pat.ParseDigest("sha256$$another")
	if err != nil {
		panic(err) // this constant is wrong
	}
	rec.Digest = d
	return rec
}

// set puts a token into an empty database, or leaves it out, and begins the feed.
func (ch change) set(t *testing.T) *changed {
	db := newFeed()
	c := &changed{db: db, cache: inFrontOf(t, db)}
	elsewhere := newDatabase()
	issued := issue(t, elsewhere)
	var err error
	c.rec, err = elsewhere.held.FindByPrefix(t.Context(), issued.Token.Prefix)
	require.NoError(t, err)
	if !ch.absent {
		require.NoError(t, db.held.Insert(t.Context(), c.rec, 0))
	}
	follow(t, c.cache)
	db.current(time.Now())
	return c
}

// do makes the change.
func (ch change) do(t *testing.T, c *changed) {
	if !ch.fails {
		require.NoError(t, ch.make(c))
		return
	}
	c.db.Inject(storetest.EveryCall, storetest.FailAfter(errDown))
	require.ErrorIs(t, ch.make(c), errDown)
	c.db.Heal()
}

// seen checks that the cache says what the database does, which is something else than before.
func (c *changed) seen(t *testing.T, before answer, why string) {
	t.Helper()
	rec, err := c.db.held.FindByPrefix(t.Context(), c.rec.Token.Prefix)
	require.NotEqual(t, answer{rec, err}, before, "the change is none")
	got, gotErr := c.cache.FindByPrefix(t.Context(), c.rec.Token.Prefix)
	require.Equal(t, answer{rec, err}, answer{got, gotErr}, why)
}

func TestAChangeIsSeenByEveryCallThatStartsLater(t *testing.T) {
	for _, ch := range changes() {
		t.Run(ch.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := ch.set(t)
				before := <-ask(t.Context(), c.cache, c.rec.Token.Prefix)
				require.Equal(t, before, <-ask(t.Context(), c.cache, c.rec.Token.Prefix))
				require.Equal(t, 1, c.db.lookups(), "it is held")
				ch.do(t, c)
				c.seen(t, before, "at once")
				c.seen(t, before, "and again")
			})
		})
	}
}

// The order that has cost others an advisory: a look-up reads the token, the token is changed, what was held is thrown
// away, and then the look-up puts what it had read into the empty place.
func TestAChangeIsSeenAlthoughALookUpThatHadReadBeforeItReturnsAfterIt(t *testing.T) {
	for _, ch := range changes() {
		t.Run(ch.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := ch.set(t)
				held := c.db.stopNext(true)
				slow := ask(t.Context(), c.cache, c.rec.Token.Prefix)
				<-held.reached
				ch.do(t, c)
				before := answer{c.rec, nil}
				if ch.absent {
					before = answer{pat.Record{}, pat.ErrNotFound}
				}
				c.seen(t, before, "nobody joins the look-up")
				close(held.goOn)
				require.Equal(t, before, <-slow, "it began before the change")
				c.seen(t, before, "what it found is not kept")
			})
		})
	}
}

// A panic of the store tells nothing of what it had done before.
func TestAChangeIsSeenAlthoughTheStorePanickedWhenItWasMade(t *testing.T) {
	for _, ch := range changes() {
		if !ch.fails {
			continue
		}
		t.Run(ch.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := ch.set(t)
				before := <-ask(t.Context(), c.cache, c.rec.Token.Prefix)
				// The write is done by another cache, and then this one's fails.
				other := &changed{db: c.db, cache: inFrontOf(t, c.db.held), rec: c.rec}
				require.NoError(t, ch.make(other))
				c.db.Inject(storetest.EveryCall, storetest.Panic("out of memory"))
				again := *c
				again.db = newFeed() // where Rotate finds its old token
				assert.Panics(t, func() { _ = ch.make(&again) })
				c.db.Heal()
				c.seen(t, before, "at once")
			})
		})
	}
}

func TestATouchedRecordStaysAndHasTheLatestUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store, tok := withToken(t)
		first := stamp()
		hour := func(n int) time.Time { return first.Add(time.Duration(n) * time.Hour) }
		find(t, store, tok.Prefix)
		for _, step := range []struct{ at, want int }{{2, 2}, {1, 2}, {2, 2}, {3, 3}, {-1, 3}} {
			require.NoError(t, store.Touch(t.Context(), []pat.Use{{Prefix: tok.Prefix, At: hour(step.at)}}))
			require.Equal(t, hour(step.want), find(t, store, tok.Prefix).LastUsedAt)
			require.Equal(t, find(t, db.held, tok.Prefix), find(t, store, tok.Prefix))
		}
		require.Equal(t, 1, db.lookups())
	})
}

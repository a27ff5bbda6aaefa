package cache_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/cache"
)

// The tests here run in the fake time of testing/synctest. What they write to the database, another process has written.

func TestWithoutAFeedARecordIsReadAgainOnceItIsOlderThanTheMaximumStaleness(t *testing.T) {
	for _, staleness := range []time.Duration{10 * time.Millisecond, time.Second, 20 * time.Minute} {
		t.Run(staleness.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db, store, tok := withToken(t, cache.WithMaxStaleness(staleness))
				for range 3 {
					find(t, store, tok.Prefix)
					time.Sleep(staleness - 1)
					find(t, store, tok.Prefix)
					require.Equal(t, 1, db.lookups(), "a moment before")
					time.Sleep(time.Nanosecond)
				}
				find(t, store, tok.Prefix)
				require.Equal(t, 1, db.lookups())
			})
		})
	}
}

// The age counts from when reading began: the database may have answered with what was true then.
func TestALookUpThatTakesLongCountsFromItsBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store, tok := withToken(t)
		slow, held := db.stopAsking(t.Context(), store, tok.Prefix, true)
		revoke(t, db.held, tok)
		time.Sleep(time.Second - 1)
		close(held.goOn)
		require.False(t, (<-slow).rec.Token.Revoked())
		require.False(t, find(t, store, tok.Prefix).Revoked(), "it is held")
		time.Sleep(time.Nanosecond)
		require.True(t, find(t, store, tok.Prefix).Revoked(), "for the nanosecond that is left")
	})
}

// Whatever ends a token elsewhere: at most the maximum staleness later, no verification succeeds.
func TestTheEndOfATokenElsewhereIsFeltWithinTheMaximumStaleness(t *testing.T) {
	for name, c := range map[string]struct {
		end    func(t *testing.T, db pat.Store, rec pat.Record)
		reason error
	}{
		"Revoke": {func(t *testing.T, db pat.Store, rec pat.Record) { revoke(t, db, rec.Token) }, pat.ErrRevoked},
		"RevokeAll": {func(t *testing.T, db pat.Store, _ pat.Record) {
			_, err := db.RevokeAll(t.Context(), pat.Owner{UserID: "alice"}, stamp())
			require.NoError(t, err)
		}, pat.ErrRevoked},
		"Rotate": {func(t *testing.T, db pat.Store, rec pat.Record) {
			require.NoError(t, db.Rotate(t.Context(), pat.Rotation{OldID: rec.Token.ID, At: stamp(), End: stamp(), New: another(rec)}))
		}, pat.ErrRevoked},
		"Rotate with a short grace": {func(t *testing.T, db pat.Store, rec pat.Record) {
			require.NoError(t, db.Rotate(t.Context(), pat.Rotation{
				OldID: rec.Token.ID, At: stamp(), End: stamp().Add(time.Millisecond), New: another(rec),
			}))
		}, pat.ErrExpired},
		"Purge": {func(t *testing.T, db pat.Store, rec pat.Record) {
			_, err := db.Purge(t.Context(), rec.Token.ExpiresAt.Add(time.Hour), 10)
			require.NoError(t, err)
		}, pat.ErrUnknown},
		"another owner": {func(t *testing.T, db pat.Store, rec pat.Record) { // an operator moves the token by hand
			_, err := db.Purge(t.Context(), rec.Token.ExpiresAt.Add(time.Hour), 10)
			require.NoError(t, err)
			rec.Token.UserID = "mallory"
			require.NoError(t, db.Insert(t.Context(), rec, 0))
		}, pat.ErrOwnerInactive},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := newDatabase()
				verifier := newVerifier(t, inFrontOf(t, db), pat.Config{OwnerActive: isNot("mallory")})
				issued := issue(t, db)
				rec, err := db.held.FindByPrefix(t.Context(), issued.Token.Prefix)
				require.NoError(t, err)
				_, err = verifier.Verify(t.Context(), issued.Value.Reveal())
				require.NoError(t, err)
				c.end(t, db.held, rec)
				time.Sleep(time.Second)
				_, err = verifier.Verify(t.Context(), issued.Value.Reveal())
				require.ErrorIs(t, err, c.reason)
			})
		})
	}
}

func TestWithAFeedARecordStaysForAsLongAsTheFeedProvesItselfAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store, tok := withFollowedToken(t)
		db.current(time.Now())
		find(t, store, tok.Prefix)
		require.Equal(t, 1, db.lookups())

		db.proveFor(5 * time.Minute)
		find(t, store, tok.Prefix)
		require.Zero(t, db.lookups())
		time.Sleep(time.Second - 1)
		find(t, store, tok.Prefix)
		require.Zero(t, db.lookups())
		time.Sleep(time.Nanosecond)
		find(t, store, tok.Prefix)
		require.Equal(t, 1, db.lookups(), "no proof for the maximum staleness")
	})
}

func TestAProofCountsFromTheMomentThatItSpeaksOf(t *testing.T) {
	for name, c := range map[string]struct{ ago, left time.Duration }{
		"now":                       {0, time.Second},
		"the past":                  {300 * time.Millisecond, 700 * time.Millisecond},
		"the past, without a clock": {300 * time.Millisecond, 700 * time.Millisecond},
		"the future":                {-time.Hour, time.Second},
		"too long ago":              {time.Second, 0},
		"before everything":         {24 * time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db, store, tok := withFollowedToken(t)
				db.current(time.Now())
				find(t, store, tok.Prefix)
				time.Sleep(time.Minute)
				at := time.Now().Add(-c.ago)
				if name == "the past, without a clock" {
					at = at.Round(0) // without the monotonic part
				}
				db.current(at)
				db.goDown()
				if c.left > 0 {
					time.Sleep(c.left - 1)
					find(t, store, tok.Prefix)
					time.Sleep(time.Nanosecond)
				}
				_, err := store.FindByPrefix(t.Context(), tok.Prefix)
				require.ErrorIs(t, err, errDown)
			})
		})
	}
}

// What is read while one session of the feed goes on may have changed in the gap before the next one.
func TestARecordLivesOnByTheProofsOfTheSessionInWhichItWasReadAlone(t *testing.T) {
	for name, c := range map[string]struct {
		read func(t *testing.T, db *feed, look func())
		kept bool
	}{
		"read in the session": {func(_ *testing.T, db *feed, look func()) {
			db.current(time.Now())
			look()
		}, true},
		"read before the first session": {func(_ *testing.T, db *feed, look func()) {
			look()
			db.current(time.Now())
		}, false},
		"read when the feed was there and had not begun": {func(_ *testing.T, db *feed, look func()) {
			db.changed("absentPrefix")
			look()
			db.current(time.Now())
		}, false},
		"read in the session before": {func(_ *testing.T, db *feed, look func()) {
			db.current(time.Now())
			look()
			db.fail(errDown)
			db.current(time.Now())
		}, false},
		"read between two sessions": {func(_ *testing.T, db *feed, look func()) {
			db.current(time.Now())
			db.fail(errDown)
			look()
			db.current(time.Now())
		}, false},
		"begun before the first session, and read in it": {func(_ *testing.T, db *feed, look func()) {
			held := db.stopNext(true)
			go look()
			<-held.reached
			db.current(time.Now())
			close(held.goOn)
			synctest.Wait()
		}, false},
		"begun in the session before, and read in this one": {func(_ *testing.T, db *feed, look func()) {
			db.current(time.Now())
			held := db.stopNext(true)
			go look()
			<-held.reached
			db.fail(errDown)
			db.current(time.Now())
			close(held.goOn)
			synctest.Wait()
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db, store, tok := withFollowedToken(t)
				c.read(t, db, func() { find(t, store, tok.Prefix) })
				require.Equal(t, 1, db.lookups())
				db.proveFor(time.Second)
				find(t, store, tok.Prefix)
				if c.kept {
					assert.Zero(t, db.lookups())
				} else {
					assert.Equal(t, 1, db.lookups())
					db.proveFor(time.Minute)
					find(t, store, tok.Prefix)
					assert.Zero(t, db.lookups(), "what is read in the session that goes on, stays")
				}
			})
		})
	}
}

// No feed tells of last uses. A record that lives on by proofs is read again nevertheless.
func TestALastUseElsewhereIsSeenWithinTenMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store, tok := withFollowedToken(t)
		db.current(time.Now())
		find(t, store, tok.Prefix)
		used := stamp()
		require.NoError(t, db.held.Touch(t.Context(), []pat.Use{{Prefix: tok.Prefix, At: used}}))
		db.proveFor(10*time.Minute - 1)
		require.Zero(t, find(t, store, tok.Prefix).LastUsedAt)
		db.proveFor(1)
		require.Equal(t, used, find(t, store, tok.Prefix).LastUsedAt)
		require.Equal(t, 2, db.lookups())
	})
}

func TestWithAFeedAndALongStalenessARecordIsReadAgainWhenItIsOlder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const staleness = 30 * time.Minute
		db, store, tok := withFollowedToken(t, cache.WithMaxStaleness(staleness))
		db.current(time.Now())
		find(t, store, tok.Prefix)
		db.proveFor(staleness - 1)
		find(t, store, tok.Prefix)
		require.Equal(t, 1, db.lookups())
		db.proveFor(1)
		find(t, store, tok.Prefix)
		require.Equal(t, 1, db.lookups())
	})
}

func TestWithoutTheDatabaseEveryTokenHasItsWholeLeaseHoweverOldItsRecordIs(t *testing.T) {
	const staleness = 5 * time.Minute
	for _, age := range []time.Duration{0, 6 * time.Minute, 10*time.Minute - time.Second} {
		t.Run(age.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db, store, tok := withFollowedToken(t, cache.WithMaxStaleness(staleness))
				db.current(time.Now())
				find(t, store, tok.Prefix)
				db.proveFor(age)
				db.goDown()
				// 10 s of silence are a feed that broke: only then an old record is not asked for any more.
				time.Sleep(10 * time.Second)
				find(t, store, tok.Prefix)
				time.Sleep(staleness - 10*time.Second - 1)
				find(t, store, tok.Prefix)
				time.Sleep(time.Nanosecond)
				_, err := store.FindByPrefix(t.Context(), tok.Prefix)
				require.ErrorIs(t, err, errDown)
			})
		})
	}
}

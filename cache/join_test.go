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
	"github.com/patkit/pat/storetest"
)

const crowd = 50

func TestManyCallersWhoMissAreOneLookUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store, tok := withToken(t)
		for prefix, want := range map[string]error{tok.Prefix: nil, "absentPrefix": pat.ErrNotFound} {
			held := db.stopNext(true)
			var answers []<-chan answer
			for range crowd {
				answers = append(answers, ask(t.Context(), store, prefix))
			}
			synctest.Wait()
			close(held.goOn)
			for _, a := range answers {
				got := <-a
				require.ErrorIs(t, got.err, want)
				require.Equal(t, want == nil, got.rec.Token.Prefix == prefix)
			}
			require.Equal(t, 1, db.lookups())
		}
		require.EqualValues(t, 2, store.Stats().Misses)
		require.EqualValues(t, 2*(crowd-1), store.Stats().Joined)
	})
}

func TestEveryCallerWhoJoinedHasItsOwnSecretCompared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newDatabase()
		verifier := newVerifier(t, inFrontOf(t, db), pat.Config{})
		right := issue(t, db).Value.Reveal()
		for _, first := range []string{right, otherSecret(right)} {
			time.Sleep(time.Second) // or there would be nothing to join
			held := db.stopNext(true)
			verify := func(value string) <-chan error {
				verified := make(chan error, 1)
				go func() {
					_, err := verifier.Verify(t.Context(), value)
					verified <- err
				}()
				return verified
			}
			leader := verify(first)
			<-held.reached
			var good, bad []<-chan error
			for range crowd {
				good, bad = append(good, verify(right)), append(bad, verify(otherSecret(right)))
			}
			synctest.Wait()
			close(held.goOn)
			if first == right {
				require.NoError(t, <-leader)
			} else {
				require.ErrorIs(t, <-leader, pat.ErrWrongSecret)
			}
			for i := range crowd {
				require.NoError(t, <-good[i])
				require.ErrorIs(t, <-bad[i], pat.ErrWrongSecret)
			}
			require.Equal(t, 1, db.lookups())
		}
	})
}

// A call that starts more than the maximum staleness after a look-up began must not be answered with what it had read.
func TestNobodyJoinsALookUpThatIsOlderThanTheMaximumStaleness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store, tok := withToken(t)
		slow, held := db.stopAsking(t.Context(), store, tok.Prefix, true)
		revoke(t, db.held, tok)

		time.Sleep(time.Second - 1)
		joined := ask(t.Context(), store, tok.Prefix)
		synctest.Wait()
		time.Sleep(time.Nanosecond)
		fresh, second := db.stopAsking(t.Context(), store, tok.Prefix, true)
		third := ask(t.Context(), store, tok.Prefix)
		synctest.Wait()
		require.Equal(t, 2, db.lookups(), "the second can be joined")

		close(held.goOn)
		require.False(t, (<-slow).rec.Token.Revoked())
		require.False(t, (<-joined).rec.Token.Revoked())
		late := ask(t.Context(), store, tok.Prefix)
		synctest.Wait()
		require.Zero(t, db.lookups(), "the end of the first does not keep anybody from joining the second")
		close(second.goOn)
		for _, a := range []<-chan answer{fresh, third, late, ask(t.Context(), store, tok.Prefix)} {
			require.True(t, (<-a).rec.Token.Revoked())
		}
		require.Zero(t, db.lookups(), "what the second found is kept")
	})
}

// A look-up may have read what was there before a change that is acknowledged by now.
func TestNobodyJoinsALookUpThatBeganBeforeAChange(t *testing.T) {
	for name, revokeBy := range map[string]func(*testing.T, *feed, *cache.Store, pat.Token){
		"made here": func(t *testing.T, _ *feed, store *cache.Store, tok pat.Token) { revoke(t, store, tok) },
		"made here to all of an owner": func(t *testing.T, _ *feed, store *cache.Store, tok pat.Token) {
			_, err := store.RevokeAll(t.Context(), pat.Owner{UserID: tok.UserID}, stamp())
			require.NoError(t, err)
		},
		"of which the feed has told": func(t *testing.T, db *feed, _ *cache.Store, tok pat.Token) {
			revoke(t, db.held, tok)
			db.changed(tok.Prefix)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db, store, tok := withFollowedToken(t)
				db.current(time.Now())
				slow, held := db.stopAsking(t.Context(), store, tok.Prefix, true)
				revokeBy(t, db, store, tok)
				late := ask(t.Context(), store, tok.Prefix)
				synctest.Wait()
				close(held.goOn)
				require.False(t, (<-slow).rec.Token.Revoked())
				require.True(t, (<-late).rec.Token.Revoked())
			})
		})
	}
}

func TestWhatALookUpFoundThatWasReplacedIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store, tok := withFollowedToken(t)
		db.current(time.Now())
		slow, held := db.stopAsking(t.Context(), store, tok.Prefix, true)
		db.proveFor(time.Second)
		require.False(t, find(t, store, tok.Prefix).Revoked())
		revoke(t, db.held, tok)
		db.changed(tok.Prefix)
		close(held.goOn)
		require.False(t, (<-slow).rec.Token.Revoked())
		require.True(t, find(t, store, tok.Prefix).Revoked())
	})
}

func TestTheContextOfOneCallerIsNotThatOfTheOthers(t *testing.T) {
	t.Run("who asks", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			db, store, tok := withToken(t)
			met := db.Inject(1, storetest.Block())
			ctx, cancel := context.WithCancel(t.Context())
			leader := ask(ctx, store, tok.Prefix)
			<-met
			var answers []<-chan answer
			for range crowd {
				answers = append(answers, ask(t.Context(), store, tok.Prefix))
			}
			synctest.Wait()
			cancel()
			require.ErrorIs(t, (<-leader).err, context.Canceled)
			for _, a := range answers {
				require.NoError(t, (<-a).err)
			}
			require.Equal(t, 2, db.lookups(), "one asks in the place of the first, and the others join it or come when it is done")
		})
	})
	t.Run("who asked, and has the answer nevertheless", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			db, store, tok := withToken(t)
			held := db.stopNext(true)
			ctx, cancel := context.WithCancel(t.Context())
			leader := ask(ctx, store, tok.Prefix)
			<-held.reached
			joined := ask(t.Context(), store, tok.Prefix)
			synctest.Wait()
			cancel()
			close(held.goOn)
			require.NoError(t, (<-leader).err)
			require.NoError(t, (<-joined).err)
			require.Equal(t, 1, db.lookups())
			require.EqualValues(t, 0, store.Stats().Hits, "who joined took what was found")
		})
	})
	t.Run("who waits", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			db, store, tok := withToken(t)
			leader, held := db.stopAsking(t.Context(), store, tok.Prefix, false)
			ctx, cancel := context.WithCancel(t.Context())
			gone, stays := ask(ctx, store, tok.Prefix), ask(t.Context(), store, tok.Prefix)
			synctest.Wait()
			cancel()
			require.Equal(t, answer{err: context.Canceled}, <-gone)
			close(held.goOn)
			require.NoError(t, (<-leader).err)
			require.NoError(t, (<-stays).err)
			require.Equal(t, 1, db.lookups())
		})
	})
}

func TestAnErrorOfTheDatabaseIsSharedAndNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store, tok := withToken(t)
		db.goDown()
		leader, held := db.stopAsking(t.Context(), store, tok.Prefix, false)
		joined := ask(t.Context(), store, tok.Prefix)
		synctest.Wait()
		close(held.goOn)
		require.Equal(t, answer{err: errDown}, <-leader)
		require.Equal(t, answer{err: errDown}, <-joined)
		require.Equal(t, 1, db.lookups())
		db.Heal()
		find(t, store, tok.Prefix)
	})
}

func TestAPanicOfTheStoreReachesItsCallerAndLeavesNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store, tok := withToken(t)
		db.Inject(1, storetest.Panic("out of memory"))
		held := db.stopNext(false)
		panicked := make(chan any, 1)
		go func() {
			defer func() { panicked <- recover() }()
			_, _ = store.FindByPrefix(t.Context(), tok.Prefix)
		}()
		<-held.reached
		joined := ask(t.Context(), store, tok.Prefix)
		synctest.Wait()
		close(held.goOn)
		require.Equal(t, "out of memory", <-panicked)
		require.NoError(t, (<-joined).err, "it asks by itself")
		find(t, store, tok.Prefix)
		require.Equal(t, 2, db.lookups())

		db.Inject(1, storetest.Panic("out of memory"))
		require.Panics(t, func() { _, _ = store.FindByPrefix(t.Context(), "") })
		_, err := store.FindByPrefix(t.Context(), "")
		require.ErrorIs(t, err, pat.ErrNotFound, "no record is kept, not even one that has the prefix asked for")
	})
}

// A record that the store must not have returned is refused by the Verifier. It would be so for long if it were kept.
func TestWhatACorruptStoreReturnsIsPassedOnAndNotKept(t *testing.T) {
	for name, damage := range map[string]func(*pat.Record){
		"another prefix": func(r *pat.Record) { r.Token.Prefix = "abcdefABCDEF" },
		"no prefix":      func(r *pat.Record) { r.Token.Prefix = "" },
		"nothing":        func(r *pat.Record) { *r = pat.Record{} },
	} {
		t.Run(name, func(t *testing.T) {
			db := newDatabase()
			store := inFrontOf(t, db)
			issued := issue(t, db)
			db.Inject(storetest.EveryCall, storetest.Corrupt(damage))
			rec, err := store.FindByPrefix(t.Context(), issued.Token.Prefix)
			require.NoError(t, err)
			want := pat.Record{Token: issued.Token, Digest: rec.Digest}
			damage(&want)
			require.Equal(t, want, rec)
			_, err = newVerifier(t, store, pat.Config{}).Verify(t.Context(), issued.Value.Reveal())
			require.ErrorIs(t, err, pat.ErrCorrupt)
			_, err = store.FindByPrefix(t.Context(), "abcdefABCDEF")
			require.ErrorIs(t, err, pat.ErrNotFound)
			assert.Zero(t, store.Stats().Entries)
			db.Heal()
			find(t, store, issued.Token.Prefix)
		})
	}
	db := newDatabase()
	store := inFrontOf(t, db)
	db.Inject(1, storetest.Fail(errors.Join(errDown, pat.ErrCorrupt)))
	_, err := store.FindByPrefix(t.Context(), issue(t, db.held).Token.Prefix)
	require.ErrorIs(t, err, pat.ErrCorrupt)
	require.Zero(t, store.Stats().Entries)
}

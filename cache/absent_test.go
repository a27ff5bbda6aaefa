package cache_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/cache"
	"github.com/patkit/pat/internal/bench"
)

func TestAnAbsentPrefixIsRememberedForASecondAtMostAndNeverLongerThanARecord(t *testing.T) {
	for staleness, bound := range map[time.Duration]time.Duration{
		10 * time.Millisecond: 10 * time.Millisecond, time.Second: time.Second, time.Hour: time.Second,
	} {
		t.Run(staleness.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := newFeed()
				store := inFrontOf(t, db, cache.WithMaxStaleness(staleness))
				follow(t, store)
				db.current(time.Now()) // no proof makes it longer
				issued := issue(t, newDatabase())
				absent := func() {
					_, err := store.FindByPrefix(t.Context(), issued.Token.Prefix)
					require.Equal(t, pat.ErrNotFound, err, "with nothing around it")
				}
				absent()
				absent()
				require.Equal(t, 1, db.lookups())
				require.NoError(t, db.held.Insert(t.Context(), pat.Record{Token: issued.Token, Digest: another(pat.Record{}).Digest}, 0))
				time.Sleep(bound - 1)
				db.current(time.Now())
				absent()
				require.Zero(t, db.lookups())
				time.Sleep(time.Nanosecond)
				find(t, store, issued.Token.Prefix)
				require.Equal(t, 1, db.lookups())
			})
		})
	}
}

func TestAPrefixThatStaysAbsentIsRememberedEachTimeAndForgottenWhenItsTokenIsMadeHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newDatabase()
		store := inFrontOf(t, db)
		issued := issue(t, newDatabase())
		for range 2 {
			time.Sleep(time.Second)
			for range 3 {
				_, err := store.FindByPrefix(t.Context(), issued.Token.Prefix)
				require.ErrorIs(t, err, pat.ErrNotFound)
			}
			require.Equal(t, 1, db.lookups())
		}
		require.NoError(t, store.Insert(t.Context(), pat.Record{Token: issued.Token, Digest: another(pat.Record{}).Digest}, 0))
		find(t, store, issued.Token.Prefix)
	})
}

func TestATokenThatIsMadeHereIsKnownHereAtOnce(t *testing.T) {
	db := newDatabase()
	store := inFrontOf(t, db)
	verifier := newVerifier(t, store, pat.Config{})
	issued := issue(t, store)
	_, err := verifier.Verify(t.Context(), issued.Value.Reveal())
	require.NoError(t, err)
	require.Equal(t, 1, db.lookups(), "the digest came with no look-up before it was there")
}

func TestMadeUpPrefixesDisplaceNoRecordAndHoldLittleMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tokens, flood = 10, 20_000
		db := newDatabase()
		store := inFrontOf(t, db, cache.WithMaxEntries(1000), cache.WithMaxStaleness(time.Hour))
		var prefixes []string
		for range tokens {
			tok := issue(t, db).Token
			find(t, store, tok.Prefix)
			prefixes = append(prefixes, tok.Prefix)
		}
		missing := inFrontOf(t, missing{}, cache.WithMaxStaleness(time.Hour))
		before := bench.Heap()
		for n := range flood {
			for _, s := range []pat.Store{store, missing} {
				_, err := s.FindByPrefix(t.Context(), fmt.Sprint("made-up ", n))
				require.ErrorIs(t, err, pat.ErrNotFound)
			}
		}
		held := bench.Heap() - before
		t.Logf("%d made-up prefixes in each of two caches hold %d KB", flood, held>>10)
		assert.Less(t, held, int64(2*4102*1000), "places, and bytes for each")
		db.lookups()
		for _, prefix := range prefixes {
			find(t, store, prefix)
		}
		require.Zero(t, db.lookups())
		require.Equal(t, tokens, store.Stats().Entries)
		require.Zero(t, store.Stats().Evictions)
		require.Zero(t, missing.Stats().Entries)
		runtime.KeepAlive(missing)
	})
}

// missing is a store that holds nothing.
type missing struct{ pat.Store }

func (missing) FindByPrefix(context.Context, string) (pat.Record, error) {
	return pat.Record{}, fmt.Errorf("missing: %w", pat.ErrNotFound)
}

func TestAnAbsentPrefixIsRememberedHoweverTheStoreWrapsItsError(t *testing.T) {
	store := inFrontOf(t, missing{}, cache.WithMaxStaleness(time.Hour))
	_, err := store.FindByPrefix(t.Context(), "absentPrefix")
	require.EqualError(t, err, "missing: "+pat.ErrNotFound.Error(), "as the store has it")
	_, err = store.FindByPrefix(t.Context(), "absentPrefix")
	require.Equal(t, pat.ErrNotFound, err)
}

// Anything may be asked for. What is too long to be a prefix is absent for ever, and not worth its memory.
func TestWhatIsTooLongToBeAPrefixIsNotRemembered(t *testing.T) {
	db := newDatabase()
	store := inFrontOf(t, db, cache.WithMaxStaleness(time.Hour))
	for length, reads := range map[int]int{128: 1, 129: 2, 1 << 20: 2} {
		for range 2 {
			_, err := store.FindByPrefix(t.Context(), strings.Repeat("a", length))
			require.ErrorIs(t, err, pat.ErrNotFound)
		}
		require.Equal(t, reads, db.lookups(), "%d bytes", length)
	}
}

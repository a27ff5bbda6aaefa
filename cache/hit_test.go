package cache

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/memory"
)

// held returns a Store that holds one token and knows that "absentPrefix" is none.
func held(t *testing.T) (store *Store, value string) {
	behind := memory.New()
	store, err := New(behind, WithMaxStaleness(time.Hour))
	require.NoError(t, err)
	issuer, err := pat.NewIssuer(behind, pat.Config{})
	require.NoError(t, err)
	issued, err := issuer.Create(t.Context(), pat.CreateParams{UserID: "alice", GroupID: "1", Name: "deploy"})
	require.NoError(t, err)
	value = issued.Value.Reveal()
	_, err = store.FindByPrefix(t.Context(), issued.Token.Prefix)
	require.NoError(t, err)
	_, err = store.FindByPrefix(t.Context(), "absentPrefix")
	require.ErrorIs(t, err, pat.ErrNotFound)
	return store, value
}

func prefixOf(value string) string {
	head, _, _ := strings.Cut(value, "-")
	return strings.TrimPrefix(head, "pat_")
}

func TestAHitTakesNoLock(t *testing.T) {
	store, value := held(t)
	store.mu.Lock() // for good: a hit that wanted it would hang
	rec, err := store.FindByPrefix(t.Context(), prefixOf(value))
	require.NoError(t, err)
	require.Equal(t, prefixOf(value), rec.Token.Prefix)
	_, err = store.FindByPrefix(t.Context(), "absentPrefix")
	require.ErrorIs(t, err, pat.ErrNotFound)
}

// Callers who miss together wait for the lock one behind the other. Who gets it when the look-up has ended makes no other.
func TestAMissLooksAgainOnceItHasTheLock(t *testing.T) {
	store, value := held(t)
	for _, prefix := range []string{prefixOf(value), "absentPrefix"} {
		f, mine := store.join(store.hash(prefix), prefix)
		require.Nil(t, f)
		require.False(t, mine)
	}
}

// So that it takes the time of a record that is there.
func TestAnAbsentPrefixIsReadLikeARecord(t *testing.T) {
	store, _ := held(t)
	e := store.absent.find(store.hash("absentPrefix"), "absentPrefix")
	require.False(t, e.wanted.Load())
	_, err := store.FindByPrefix(t.Context(), "absentPrefix")
	require.ErrorIs(t, err, pat.ErrNotFound)
	require.True(t, e.wanted.Load())
}

func TestAHitOfACallThatIsCancelledIsItsError(t *testing.T) {
	store, value := held(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, prefix := range []string{prefixOf(value), "absentPrefix"} {
		rec, err := store.FindByPrefix(ctx, prefix)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, pat.Record{}, rec)
	}
}

func TestAHitAllocatesNothing(t *testing.T) {
	ctx := context.Background()
	store, value := held(t)
	verifier, err := pat.NewVerifier(store, pat.Config{LastUsedInterval: -1})
	require.NoError(t, err)
	prefix := prefixOf(value)
	now := time.Now().UTC()
	require.NoError(t, store.Touch(ctx, []pat.Use{{Prefix: prefix, At: now}}))
	for name, call := range map[string]func() error{
		"FindByPrefix": func() error { _, err := store.FindByPrefix(ctx, prefix); return err },
		"Verify":       func() error { _, err := verifier.Verify(ctx, value); return err },
	} {
		require.Zero(t, testing.AllocsPerRun(1000, func() {
			if err := call(); err != nil {
				t.Error(err)
			}
		}), name)
	}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := store.FindByPrefix(ctx, "absentPrefix"); err == nil {
			t.Error("found an absent prefix")
		}
	}), "an absent prefix")
	require.GreaterOrEqual(t, store.Stats().AbsentHits, uint64(100), "it is known within its second")
}

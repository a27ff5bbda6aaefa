package cache_test

import (
	"encoding/json"
	"expvar"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/cache"
	"github.com/patkit/pat/internal/leak"
)

var _ expvar.Var = (*cache.Store)(nil)

func TestStatsCountEachThingByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newFeed()
		store := inFrontOf(t, db, cache.WithMaxEntries(7))
		want := cache.Stats{}
		counts := func(change func(s *cache.Stats)) {
			t.Helper()
			change(&want)
			require.Equal(t, want, store.Stats())
		}
		counts(func(*cache.Stats) {})
		tok := issue(t, db).Token
		find(t, store, tok.Prefix)
		counts(func(s *cache.Stats) { s.Misses, s.Entries = 1, 1 })
		find(t, store, tok.Prefix)
		find(t, store, tok.Prefix)
		counts(func(s *cache.Stats) { s.Hits = 2 })
		_, err := store.FindByPrefix(t.Context(), "absentPrefix")
		require.ErrorIs(t, err, pat.ErrNotFound)
		counts(func(s *cache.Stats) { s.Misses = 2 })
		_, err = store.FindByPrefix(t.Context(), "absentPrefix")
		require.ErrorIs(t, err, pat.ErrNotFound)
		counts(func(s *cache.Stats) { s.AbsentHits = 1 })

		other := issue(t, db).Token
		held := db.stopNext(false)
		first, second := ask(t.Context(), store, other.Prefix), ask(t.Context(), store, other.Prefix)
		synctest.Wait()
		close(held.goOn)
		<-first
		<-second
		counts(func(s *cache.Stats) { s.Misses, s.Joined, s.Entries = 3, 1, 2 })
		for range 8 {
			find(t, store, issue(t, db).Token.Prefix)
		}
		counts(func(s *cache.Stats) { s.Misses, s.Entries, s.Evictions = 11, 7, 3 })

		follow(t, store)
		db.changed("absentPrefix")
		counts(func(s *cache.Stats) { s.FeedChanges = 1 })
		db.current(time.Now())
		counts(func(s *cache.Stats) { s.FeedSessions, s.FeedAlive = 1, true })
		time.Sleep(time.Second - 1)
		counts(func(*cache.Stats) {})
		time.Sleep(time.Nanosecond)
		counts(func(s *cache.Stats) { s.FeedAlive = false })
		db.current(time.Now())
		counts(func(s *cache.Stats) { s.FeedAlive = true })
		db.fail(errDown)
		synctest.Wait()
		counts(func(s *cache.Stats) { s.FeedFailures = 1 })
		db.current(time.Now())
		counts(func(s *cache.Stats) { s.FeedSessions = 2 })
		db.changed("")
		counts(func(s *cache.Stats) { s.FeedChanges, s.Entries = 2, 0 })

		var read cache.Stats
		require.NoError(t, json.Unmarshal([]byte(store.String()), &read))
		require.Equal(t, want, read)
	})
}

func TestAStorePrintsNothingOfAToken(t *testing.T) {
	db := newDatabase()
	store := inFrontOf(t, db, cache.WithMaxEntries(7))
	issued := issue(t, db)
	value := issued.Value.Reveal()
	verifier := newVerifier(t, store, pat.Config{})
	_, err := verifier.Verify(t.Context(), value)
	require.NoError(t, err)
	_, secret, _ := strings.Cut(value, "-")
	rec, err := db.held.FindByPrefix(t.Context(), issued.Token.Prefix)
	require.NoError(t, err)
	digest := strings.TrimPrefix(rec.Digest.Encoded(), "sha256$$")
	var text strings.Builder
	slog.New(slog.NewTextHandler(&text, nil)).Info("store", "store", store)
	slog.New(slog.NewJSONHandler(&text, nil)).Info("store", "store", store)
	for _, verb := range []string{"%v", "%+v", "%s", "%q", "%x", "%X", "%d", "%#v", "%T"} {
		text.WriteString(fmt.Sprintf(verb, store) + "\n")
	}
	for _, kept := range []string{secret, digest} {
		assert.Empty(t, leak.Find(text.String(), kept))
	}
	assert.NotContains(t, text.String(), issued.Token.Prefix)
	for _, verb := range []string{"%v", "%+v", "%s"} {
		assert.JSONEq(t, store.String(), fmt.Sprintf(verb, store))
	}
}

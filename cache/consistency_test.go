package cache

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/testscale"
	"github.com/patkit/pat/memory"
)

// consistent checks that the index by id and the table name the same entries, and that no look-up is left.
func (s *Store) consistent(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Empty(t, s.fetches)
	require.Len(t, s.byID, s.records.count())
	for e := range s.records.all() {
		require.Same(t, e, s.byID[e.rec.Token.ID])
		require.Same(t, e, s.records.find(s.hash(e.prefix()), e.prefix()), "or it is there twice")
	}
}

func numbered(n int) pat.Record {
	digest, err := pat.ParseDigest(fmt.Sprintf("sha256$$%032d", n))
	if err != nil {
		panic(err) // this format is wrong
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	return pat.Record{Digest: digest, Token: pat.Token{
		ID: fmt.Sprintf("0199c0de-0000-7000-8000-%012x", n), Prefix: fmt.Sprintf("Prefix%06d", n), Name: "name",
		UserID: fmt.Sprint("user-", n%5), GroupID: "group", CreatedAt: now, UpdatedAt: now, ExpiresAt: now.Add(time.Hour),
	}}
}

// Random calls from several goroutines at once, in a cache that is too small for them.
func TestTheIndexByIDHasWhatTheTableHas(t *testing.T) {
	for seed := range testscale.Rounds(t, 5, 500) {
		store, err := New(memory.New(), WithMaxEntries(50), WithMaxStaleness(10*time.Millisecond))
		require.NoError(t, err)
		var workers sync.WaitGroup
		for worker := range 4 {
			workers.Go(func() {
				random := rand.New(rand.NewPCG(uint64(seed), uint64(worker)))
				for range 2000 {
					if err := store.anything(random); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		workers.Wait()
		store.consistent(t)
		store.dropAll()
		assert.Empty(t, store.byID)
		assert.Zero(t, store.records.count())
		assert.Zero(t, store.absent.count())
	}
}

// No store may give an id to two tokens. If one does, what is held of the second is still found by it.
func TestAnIDThatTwoTokensHaveStaysWithTheSecond(t *testing.T) {
	store, err := New(memory.New())
	require.NoError(t, err)
	first, second := numbered(1), numbered(2)
	second.Token.ID = first.Token.ID
	for _, rec := range []pat.Record{first, second} {
		store.keep(&fetch{prefix: rec.Token.Prefix, rec: rec, begun: store.clock.now()}, store.hash(rec.Token.Prefix))
	}
	store.drop(first.Token.Prefix)
	require.Len(t, store.byID, 1)
	store.dropID(second.Token.ID)
	require.Zero(t, store.records.count())
}

// anything calls some method with some token.
func (s *Store) anything(random *rand.Rand) error {
	ctx := context.Background()
	rec, now := numbered(random.IntN(150)), time.Now().UTC().Truncate(time.Microsecond)
	tok := rec.Token
	var err error
	switch random.IntN(40) {
	case 0:
		_, _, err = s.Revoke(ctx, tok.ID, now)
	case 1:
		_, err = s.RevokeAll(ctx, pat.Owner{UserID: tok.UserID}, now)
	case 2:
		next := numbered(random.IntN(150))
		next.Token.RotatedFrom = tok.ID
		err = s.Rotate(ctx, pat.Rotation{OldID: tok.ID, At: now, End: now, New: next})
	case 3:
		_, err = s.ReplaceDigest(ctx, tok.Prefix, rec.Digest, numbered(1000).Digest)
	case 4:
		_, err = s.Purge(ctx, now, 3)
	case 5:
		(&watcher{store: s}).Changed(tok.Prefix)
	case 6:
		(&watcher{store: s}).Changed("")
	case 7, 8:
		err = s.Touch(ctx, []pat.Use{{Prefix: tok.Prefix, At: now}})
	case 9, 10, 11, 12, 13, 14:
		err = s.Insert(ctx, rec, 0)
	default:
		rec, err = s.FindByPrefix(ctx, tok.Prefix)
		if err == nil && rec.Token.ID != tok.ID {
			return fmt.Errorf("found %s in the place of %s", rec.Token.ID, tok.ID)
		}
	}
	for _, expected := range []error{pat.ErrNotFound, pat.ErrExists, pat.ErrRevoked, pat.ErrRotated, pat.ErrExpired} {
		if errors.Is(err, expected) {
			return nil
		}
	}
	return err
}

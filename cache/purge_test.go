package cache_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/cache"
)

func TestAPurgeForgetsWhatItMayHaveDeletedAndNothingElse(t *testing.T) {
	const age = 24 * time.Hour // at which tokens are purged
	for name, c := range map[string]struct {
		end    func(t *testing.T, store pat.Store, tok pat.Token)
		purged bool
	}{
		"revoked long ago": {func(t *testing.T, store pat.Store, tok pat.Token) { revoke(t, store, tok) }, true},
		"expired long ago": {func(t *testing.T, store pat.Store, tok pat.Token) {
			require.NoError(t, store.Rotate(t.Context(), pat.Rotation{
				OldID: tok.ID, At: stamp(), End: stamp().Add(1000), New: another(pat.Record{Token: tok}),
			}))
		}, true},
		"revoked of late": {func(t *testing.T, store pat.Store, tok pat.Token) {
			time.Sleep(2 * time.Hour)
			revoke(t, store, tok)
		}, false},
		"valid": {func(*testing.T, pat.Store, pat.Token) {}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db, store, tok := withToken(t)
				start := stamp()
				c.end(t, db.held, tok)
				time.Sleep(time.Until(start.Add(age)))
				was := find(t, store, tok.Prefix)
				n, err := store.Purge(t.Context(), start.Add(time.Hour), 10)
				require.NoError(t, err)
				_, err = store.FindByPrefix(t.Context(), tok.Prefix)
				if c.purged {
					require.Equal(t, 1, n)
					require.ErrorIs(t, err, pat.ErrNotFound)
					return
				}
				require.Zero(t, n)
				require.Equal(t, was, find(t, store, tok.Prefix))
				require.Equal(t, 1, db.lookups(), "the record stays")
			})
		})
	}
}

// As with the writes of a Verifier: what fails because there is no database takes nothing away.
func TestAPurgeThatFailsForgetsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store, tok := withToken(t)
		find(t, store, tok.Prefix)
		db.goDown()
		_, err := store.Purge(t.Context(), stamp().Add(time.Hour), 10)
		require.ErrorIs(t, err, errDown)
		find(t, store, tok.Prefix)
	})
}

// Another process whose clock is slow has revoked a token after it was read here, with a stamp from before.
func TestAPurgeForgetsWhatAProcessWithASlowClockHasRevoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store, tok := withToken(t, cache.WithMaxStaleness(time.Hour))
		find(t, store, tok.Prefix)
		before := stamp().Add(-30 * time.Second)
		_, _, err := db.held.Revoke(t.Context(), tok.ID, before.Add(-time.Second))
		require.NoError(t, err)
		n, err := store.Purge(t.Context(), before, 10)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		_, err = store.FindByPrefix(t.Context(), tok.Prefix)
		require.ErrorIs(t, err, pat.ErrNotFound)
	})
}

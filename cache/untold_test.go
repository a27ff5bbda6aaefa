package cache_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

// A restore can take tokens away of which no feed tells. What a look-up has found absent must not come back when the feed
// goes on.
func TestWhatALookUpHasFoundAbsentIsNotServedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store, tok := withFollowedToken(t)
		db.current(time.Now())
		find(t, store, tok.Prefix)

		revoke(t, db.held, tok)
		n, err := db.held.Purge(t.Context(), time.Now().Add(time.Hour), 10)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		time.Sleep(2 * time.Second) // the feed is silent, so that the lease ends
		_, err = store.FindByPrefix(t.Context(), tok.Prefix)
		require.ErrorIs(t, err, pat.ErrNotFound)

		time.Sleep(2 * time.Second) // longer than absent prefixes are remembered
		db.current(time.Now())
		_, err = store.FindByPrefix(t.Context(), tok.Prefix)
		require.ErrorIs(t, err, pat.ErrNotFound)
	})
}

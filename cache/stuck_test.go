package cache_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/cache"
)

// A look-up may hang on a connection that a router has forgotten, for a caller who waits for ever.
func TestOneLookUpThatHangsHoldsNobodyUpForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store, tok := withToken(t, cache.WithMaxStaleness(5*time.Minute))
		stuck, held := db.stopAsking(context.Background(), store, tok.Prefix, false)
		defer func() {
			close(held.goOn)
			<-stuck
		}()
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_, err := store.FindByPrefix(ctx, tok.Prefix) // the database answers everybody but the first
		require.NoError(t, err)
	})
}

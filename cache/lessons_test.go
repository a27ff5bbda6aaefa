package cache_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/cache"
)

// Each test here is about a mistake that others have made with a cache in a login path, and asserts that it is not made
// here. The root package has more.

// GHSA-6765-c87h-8mrf, Traefik: concurrent password checks were merged under a key of password and stored hash with
// nothing between them, so that one login could be answered with the outcome of another. Here look-ups are merged, under
// the whole prefix and nothing else, and no outcome of a comparison is.
func TestGHSA_6765_c87h_8mrf_MergedLookUpsMixNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newDatabase()
		store := inFrontOf(t, db)
		for n, prefix := range []string{"k1234", "k12345", "k123456", "K12345"} { // where one ends, another goes on
			rec := another(pat.Record{})
			rec.Token = pat.Token{ID: fmt.Sprintf("0199c0de-0000-7000-8000-%012x", n), Prefix: prefix, UserID: prefix, CreatedAt: stamp(), UpdatedAt: stamp()}
			require.NoError(t, db.held.Insert(t.Context(), rec, 0))
		}
		verifier := newVerifier(t, store, pat.Config{})
		values := map[string]string{}
		for _, user := range []string{"alice", "bob", "carol"} {
			issuer, err := pat.NewIssuer(db, pat.Config{})
			require.NoError(t, err)
			issued, err := issuer.Create(t.Context(), pat.CreateParams{UserID: user, GroupID: "1", Name: "deploy"})
			require.NoError(t, err)
			values[issued.Value.Reveal()] = user
		}
		const merged, rounds = 10, 20
		for range rounds {
			time.Sleep(time.Second) // so that all miss
			var asking sync.WaitGroup
			for range merged {
				for _, prefix := range []string{"k1234", "k12345", "k123456", "K12345"} {
					asking.Go(func() {
						rec, err := store.FindByPrefix(t.Context(), prefix)
						assert.NoError(t, err)
						assert.Equal(t, prefix, rec.Token.UserID)
					})
				}
				for value, user := range values {
					asking.Go(func() {
						tok, err := verifier.Verify(t.Context(), value)
						assert.NoError(t, err)
						assert.Equal(t, user, tok.UserID)
					})
					asking.Go(func() {
						_, err := verifier.Verify(t.Context(), otherSecret(value))
						assert.ErrorIs(t, err, pat.ErrWrongSecret, "the outcome of a right value is nobody else's")
					})
				}
			}
			asking.Wait()
		}
		assert.Equal(t, rounds*7, db.lookups())
	})
}

// A fast path that skips the secret: once a token was verified, the cache answered for its prefix alone.
func TestATokenThatIsHeldStillHasEverySecretCompared(t *testing.T) {
	db := newDatabase()
	store := inFrontOf(t, db)
	verifier := newVerifier(t, store, pat.Config{})
	right := issue(t, db).Value.Reveal()
	for range 3 {
		_, err := verifier.Verify(t.Context(), right)
		require.NoError(t, err)
		tok, err := verifier.Verify(t.Context(), otherSecret(right))
		require.ErrorIs(t, err, pat.ErrWrongSecret)
		assert.Equal(t, pat.Token{}, tok)
	}
	require.Equal(t, 1, db.lookups())
	require.EqualValues(t, 5, store.Stats().Hits)
}

// CVE-2025-3230, Mattermost: the tokens of a deactivated user stayed good, because the answer to whether the user is
// active came from a cache.
func TestCVE_2025_3230_WhetherTheOwnerIsActiveIsNotHeld(t *testing.T) {
	db := newDatabase()
	gone := ""
	verifier := newVerifier(t, inFrontOf(t, db, cache.WithMaxStaleness(time.Hour)), pat.Config{
		OwnerActive: func(ctx context.Context, userID, groupID string) (bool, error) {
			return isNot(gone)(ctx, userID, groupID)
		},
	})
	value := issue(t, db).Value.Reveal()
	_, err := verifier.Verify(t.Context(), value)
	require.NoError(t, err)
	gone = "alice"
	_, err = verifier.Verify(t.Context(), value)
	require.ErrorIs(t, err, pat.ErrOwnerInactive)
	require.Equal(t, 1, db.lookups())
}

// A fallback to "valid" when the store fails, and a wrong secret that learns from the cache what the store can't say.
func TestADatabaseThatIsDownMakesNothingValidAndNothingInvalid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newDatabase()
		verifier := newVerifier(t, inFrontOf(t, db), pat.Config{})
		value := issue(t, db).Value.Reveal()
		_, err := verifier.Verify(t.Context(), value)
		require.NoError(t, err)
		db.goDown()
		time.Sleep(time.Second)
		for _, presented := range []string{value, otherSecret(value), issue(t, db.held).Value.Reveal()} {
			tok, err := verifier.Verify(t.Context(), presented)
			require.ErrorIs(t, err, errDown)
			require.NotErrorIs(t, err, pat.ErrInvalidToken)
			require.Equal(t, pat.Token{}, tok)
		}
	})
}

package pat_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

// Each test here is about a public advisory on somebody else's tokens or logins, and asserts that its flaw is not in
// this library. Package httpadapter has those that are about HTTP.

// CVE-2026-27840, ZITADEL: an opaque token whose end was cut off was still accepted, because the part that was missing
// was never compared.
func TestCVE_2026_27840_ATruncatedValueIsRefused(t *testing.T) {
	h := newHouse(t, importing(pat.Config{}))
	_, value := h.create(t)
	for n := range len(value) {
		_, err := h.Verify(t.Context(), value[:n])
		requireReason(t, err, pat.ErrMalformed)
	}
	lookups, _ := h.counts()
	assert.Zero(t, lookups, "what is missing can't be asked for")

	_, err := h.Import(t.Context(), importParams(t))
	require.NoError(t, err)
	for n := len("old.k123."); n < len(oldValue); n++ {
		_, err := h.Verify(t.Context(), oldValue[:n])
		requireReason(t, err, pat.ErrWrongSecret)
	}
}

// CVE-2026-56665, ZITADEL: a foreign token that named no expiry skipped the check of it, and so was good for ever.
func TestCVE_2026_56665_NoExpiryGivenIsNotNoExpiry(t *testing.T) {
	h := newHouse(t, importing(pat.Config{Lifetime: pat.LifetimePolicy{AllowNoExpiry: true}}))
	created, value := h.create(t)
	assert.Equal(t, h.clock.stamp().Add(pat.DefaultLifetime), created.ExpiresAt)

	endless, _ := h.create(t, func(p *pat.CreateParams) { p.Lifetime = pat.NoExpiry })
	rotated, err := h.Rotate(t.Context(), endless.ID, pat.RotateParams{})
	require.NoError(t, err)
	assert.Equal(t, h.clock.stamp().Add(pat.DefaultLifetime), rotated.Token.ExpiresAt, "it is not inherited either")

	params := importParams(t)
	params.ExpiresAt = time.Time{}
	_, err = h.Import(t.Context(), params)
	requireArgument(t, err, "ImportParams.ExpiresAt")

	h.clock.Advance(pat.DefaultLifetime)
	for _, presented := range []string{value, rotated.Value.Reveal()} {
		_, err = h.Verify(t.Context(), presented)
		requireReason(t, err, pat.ErrExpired)
	}
}

// CVE-2025-3230, Mattermost: the tokens of a deactivated user stayed good, because the answer to whether the user is
// active came from a cache.
func TestCVE_2025_3230_ADeactivatedOwnersTokenEndsWithTheNextVerification(t *testing.T) {
	active := true
	h := newHouse(t, pat.Config{OwnerActive: func(context.Context, string, string) (bool, error) { return active, nil }})
	_, value := h.create(t)
	for range 3 {
		active = true
		_, err := h.Verify(t.Context(), value)
		require.NoError(t, err)
		active = false
		_, err = h.Verify(t.Context(), value)
		requireReason(t, err, pat.ErrOwnerInactive)
	}
}

// CVE-2024-21635, memos: access tokens outlived the change of a password that was to lock an intruder out.
func TestCVE_2024_21635_AllTokensOfAUserEndAtOnce(t *testing.T) {
	h := newHouse(t, importing(pat.Config{}))
	_, err := h.Import(t.Context(), importParams(t))
	require.NoError(t, err)
	_, here := h.create(t)
	_, there := h.create(t, func(p *pat.CreateParams) { p.GroupID = "2" })
	old, inGrace := h.create(t)
	next, err := h.Rotate(t.Context(), old.ID, pat.RotateParams{Grace: time.Hour})
	require.NoError(t, err)
	stolen := map[string]string{
		"in a group": here, "in another group": there, "imported": oldValue,
		"rotated, in its grace period": inGrace, "a successor": next.Value.Reveal(),
	}
	_, somebodyElses := h.create(t, func(p *pat.CreateParams) { p.UserID = "bob" })
	for _, value := range stolen { // so that last-used times and a new digest are waiting to be written
		_, err := h.Verify(t.Context(), value)
		require.NoError(t, err)
	}

	n, err := h.RevokeAll(t.Context(), pat.Owner{UserID: "alice"})
	require.NoError(t, err)
	assert.Equal(t, len(stolen), n)
	_, fresh := h.create(t)
	require.NoError(t, h.Close(t.Context()), "what was waiting is written, and brings nothing back")
	for name, value := range stolen {
		t.Run(name, func(t *testing.T) {
			_, err := h.Verify(t.Context(), value)
			requireReason(t, err, pat.ErrRevoked)
		})
	}
	for _, value := range []string{fresh, somebodyElses} {
		_, err := h.Verify(t.Context(), value)
		require.NoError(t, err)
	}
}

// GHSA-6765-c87h-8mrf, Traefik: concurrent password checks were merged under a key of password and stored hash with
// nothing between them, so that one login could be answered with the outcome of another.
func TestGHSA_6765_c87h_8mrf_ConcurrentVerificationsAreNotMixedUp(t *testing.T) {
	h := newHouse(t, importing(pat.Config{LastUsedInterval: -1}))
	// The look-up key and the secret of each, put together without the dot, are the same text.
	owners := map[string]string{"old.k.123456": "alice", "old.k1.23456": "bob", "old.k12.3456": "carol"}
	for value, owner := range owners {
		params := importParams(t)
		params.LookupKey, params.UserID = strings.Split(value, ".")[1], owner
		params.Digest = bcryptOf(t, value, 4)
		_, err := h.Import(t.Context(), params)
		require.NoError(t, err)
	}
	native, right := h.create(t, func(p *pat.CreateParams) { p.UserID = "dave" })
	owners[right] = native.UserID

	var asking sync.WaitGroup
	begin := make(chan struct{})
	for _, value := range slices.Collect(maps.Keys(owners)) {
		asking.Go(func() {
			<-begin
			for range 30 {
				tok, err := h.Verify(context.Background(), value)
				assert.NoError(t, err)
				assert.Equal(t, owners[value], tok.UserID)
			}
		})
	}
	asking.Go(func() {
		<-begin
		for range 300 {
			_, err := h.Verify(context.Background(), otherSecret(right))
			assert.ErrorIs(t, err, pat.ErrWrongSecret, "the outcome of a right value is nobody else's")
		}
	})
	close(begin)
	asking.Wait()
}

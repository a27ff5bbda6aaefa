package pat_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

// A use and a new digest are written a second after the verification. Here the token is revoked in that second, or
// when the write is already on its way to the store.
func TestWhatTheTimerWritesComesTooLateForARevokedToken(t *testing.T) {
	for name, revokedAfter := range map[string]time.Duration{
		"revoked before the timer":      500 * time.Millisecond,
		"revoked while it is writing":   1500 * time.Millisecond,
		"revoked when it is all done":   3 * time.Second,
		"revoked right after the use":   0,
		"revoked at the timer's moment": time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, pat.Config{Now: time.Now})
				tok, value := h.create(t)
				issued, err := h.store.FindByPrefix(t.Context(), tok.Prefix)
				require.NoError(t, err)
				h.open(t, pat.Config{Now: time.Now, PepperKeys: []pat.PepperKey{{ID: "k1", Key: pat.NewSecret(make([]byte, 32))}}})
				h.store.onTouch(func(ctx context.Context, uses []pat.Use) error {
					time.Sleep(time.Second) // a slow store, which takes from 1 s to 2 s
					return h.store.Store.Touch(ctx, uses)
				})
				used := time.Now().UTC().Truncate(time.Microsecond)
				_, err = h.Verify(t.Context(), value)
				require.NoError(t, err)

				time.Sleep(revokedAfter)
				revoked, err := h.Revoke(t.Context(), tok.ID)
				require.NoError(t, err)
				_, err = h.Verify(t.Context(), value)
				requireReason(t, err, pat.ErrRevoked)
				time.Sleep(time.Minute)
				synctest.Wait()

				got, err := h.store.FindByPrefix(t.Context(), tok.Prefix)
				require.NoError(t, err)
				want := revoked
				want.LastUsedAt = used
				assert.Equal(t, want, got.Token, "of a revoked token, the use that came before is written, and nothing else")
				wasReplaced := revokedAfter > 2*time.Second
				assert.Equal(t, wasReplaced, got.Digest != issued.Digest, "the digest is replaced only before the token is revoked")
				_, err = h.Verify(t.Context(), value)
				requireReason(t, err, pat.ErrRevoked)
			})
		})
	}
}

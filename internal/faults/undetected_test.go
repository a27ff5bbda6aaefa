package faults

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/storetest"
)

// This damage looks like a record that was written. It is no fault to the Verifier, but lets nobody in either.
func TestTheDigestOfAnotherTokenLetsNobodyIn(t *testing.T) {
	for _, store := range stores {
		for _, name := range []string{"current", "outdated", "imported"} {
			t.Run(store.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newService(t, store)
					for other, tok := range s.tokens {
						if other == name {
							continue
						}
						rec, err := s.held.FindByPrefix(t.Context(), tok.Prefix)
						require.NoError(t, err)
						s.faults.Inject(1, storetest.Corrupt(func(r *pat.Record) { r.Digest = rec.Digest }))
						got, err := s.verifier.Verify(t.Context(), s.values[name])
						require.ErrorIs(t, err, pat.ErrWrongSecret, other)
						assert.Equal(t, pat.Token{}, got)
					}
				})
			})
		}
	}
}

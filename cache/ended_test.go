package cache

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/memory"
	"github.com/patkit/pat/storetest"
)

// A flood of made-up prefixes would fill the memory otherwise, and who came later would join a look-up that is over.
func TestALookUpThatHasEndedIsForgottenHoweverItEnded(t *testing.T) {
	held := memory.New()
	issuer, err := pat.NewIssuer(held, pat.Config{})
	require.NoError(t, err)
	issued, err := issuer.Create(t.Context(), pat.CreateParams{UserID: "user", GroupID: "group", Name: "name"})
	require.NoError(t, err)
	faulty := storetest.NewFaulty(held)
	s, err := New(faulty, WithMaxStaleness(time.Second))
	require.NoError(t, err)

	_, err = s.FindByPrefix(t.Context(), issued.Token.Prefix)
	require.NoError(t, err)
	for i := range 100 {
		_, err = s.FindByPrefix(t.Context(), fmt.Sprintf("Unknown%05d", i))
		require.ErrorIs(t, err, pat.ErrNotFound)
	}
	faulty.Inject(1, storetest.Panic("panic"))
	assert.Panics(t, func() { _, _ = s.FindByPrefix(t.Context(), "WhichPanics0") })
	assert.Empty(t, s.fetches)
}

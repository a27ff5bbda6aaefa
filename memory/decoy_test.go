package memory

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

// An absent prefix costs as much as one that is there because a decoy is read for it.
func TestAnAbsentPrefixHasADecoyThatIsNotReturned(t *testing.T) {
	s := New()
	assert.Nil(t, s.byPrefix.decoy("absent"), "an empty store has none")
	issuer, err := pat.NewIssuer(s, pat.Config{})
	require.NoError(t, err)
	for range 100 {
		_, err = issuer.Create(t.Context(), pat.CreateParams{UserID: "user", GroupID: "group", Name: "name"})
		require.NoError(t, err)
	}
	assert.NotNil(t, s.byPrefix.decoy("absent"))
	rec, err := s.FindByPrefix(t.Context(), "absent")
	assert.Equal(t, pat.ErrNotFound, err)
	assert.Equal(t, pat.Record{}, rec)
}

// What is read goes nowhere, so only its absence shows: an entry without owner, scopes and digest can't be read.
func TestTheDecoyIsReadForAnAbsentPrefix(t *testing.T) {
	s := New()
	s.byPrefix.add(&entry{text: "unreadable", prefixEnd: 10})
	assert.Panics(t, func() { _, _ = s.FindByPrefix(t.Context(), "absent") })
}

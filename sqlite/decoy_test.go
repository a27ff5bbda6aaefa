package sqlite

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

// An absent prefix costs as much as one that is there because a decoy is read and decoded for it.
func TestAnAbsentPrefixHasADecoyThatIsNotReturned(t *testing.T) {
	s := testStore(t, ":memory:")
	for _, prefix := range []string{"absent", "", decoyPrefix} {
		c := sessions(s)[0]
		packed, err := c.lookUp(prefix)
		require.NoError(t, err)
		assert.Equal(t, decoyPrefix, packed.Token.Prefix, "it was decoded whole")
		plain, err := c.find(c.reads.byPrefix, prefix)
		require.NoError(t, err)
		assert.Equal(t, plain, packed)
		rec, err := s.FindByPrefix(t.Context(), prefix)
		assert.Equal(t, pat.ErrNotFound, err)
		assert.Equal(t, pat.Record{}, rec)
	}
}

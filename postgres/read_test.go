package postgres

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

// Not to ask would take less time, and tell it from a prefix that might be one.
func TestAPrefixThatNoTokenCanHaveIsAskedFor(t *testing.T) {
	s, c := cutStore(t)
	for _, prefix := range []string{"", "\x00", "Prefix\x00", "\xff"} {
		c.arm(0, -1) // the question is lost, and asked again
		_, err := s.FindByPrefix(t.Context(), prefix)
		require.Equal(t, pat.ErrNotFound, err, "%q", prefix)
		assert.Equal(t, 1, c.count(), "%q", prefix)
	}
}

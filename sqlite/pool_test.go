package sqlite

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAPoolLendsTheSessionThatCameBackLastAndEachToOneCall(t *testing.T) {
	first, second := new(session), new(session)
	p := newPool(first, second)
	for range 2 {
		for _, want := range []*session{second, first} {
			got, err := p.acquire(t.Context(), nil)
			require.NoError(t, err)
			assert.Same(t, want, got)
		}
		assert.Empty(t, p.free)
		p.release(first)
		p.release(second)
	}
}

func TestAStoreNotMadeByOpenSaysSo(t *testing.T) {
	var s Store
	_, err := s.FindByPrefix(t.Context(), "prefix")
	assert.ErrorContains(t, err, "not made by Open")
	assert.ErrorContains(t, s.Touch(t.Context(), nil), "not made by Open")
	assert.NoError(t, s.Close())
}

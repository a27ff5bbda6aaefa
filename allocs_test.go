//go:build !race

package pat

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Under the race detector a sync.Pool forgets at random, so that this is not tested there.

func TestHashingDoesNotAllocate(t *testing.T) {
	value, _ := newValue()
	for name, h := range map[string]*hashers{"plain": hashersOf(t), "peppered": hashersOf(t, pepperKey("k1"))} {
		d := h.digest(value)
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			if match, _, _ := h.matchFast(d, value); !match {
				t.Error("no match")
			}
		}), name)
	}
}

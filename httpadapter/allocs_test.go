//go:build !race

package httpadapter

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Under the race detector a sync.Pool forgets at random, so that this is not tested there.

func TestADecoderIsKeptForReuse(t *testing.T) {
	body := []byte(`{}`)
	assert.LessOrEqual(t, testing.AllocsPerRun(1000, func() {
		if err := decodeObject(body, nil); err != nil {
			t.Error(err)
		}
	}), 1.0, "the one is the buffer around the body")
}

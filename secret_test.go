package pat

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSecretSaysThatItIsRedacted(t *testing.T) {
	s := NewSecret(hidden)
	assert.Equal(t, "[redacted]", s.String())
	assert.Equal(t, "[redacted]", fmt.Sprintf("%#v", s))
	assert.Equal(t, "[redacted]", s.LogValue().String())
	encoded, err := json.Marshal(s)
	require.NoError(t, err)
	assert.Equal(t, `"[redacted]"`, string(encoded))
	encoded, err = s.MarshalBinary()
	require.NoError(t, err)
	assert.Equal(t, "[redacted]", string(encoded))
}

func TestRevealGivesTheValue(t *testing.T) {
	assert.Equal(t, hidden, NewSecret(hidden).Reveal())
	assert.Empty(t, Secret{}.Reveal())
	assert.Equal(t, "[redacted]", fmt.Sprint(Secret{}), "an empty secret looks like any other")
}

func TestASecretIsACopyOfTheBytesItWasMadeOf(t *testing.T) {
	key := []byte(hiddenKey)
	s := NewSecret(key)
	clear(key)
	assert.Equal(t, hiddenKey, s.Reveal())
}

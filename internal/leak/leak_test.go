package leak

import (
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

const hidden = "uSysxGgWNcmcp8J9AbhOqlMxpOXHIj2Q0ZHUxl"

func TestEveryFormOfEveryPartIsFound(t *testing.T) {
	for at := range Parts(hidden) {
		part := hidden[at : at+partLength]
		for _, text := range []string{part, fmt.Sprintf("%x", part), fmt.Sprintf("%X", part)} {
			assert.Equal(t, part, Find("before"+text+"behind", hidden), "%s", text)
		}
	}
	for before := range 3 {
		text := []byte("///"[:before] + hidden + "\xff\xfe")
		assert.NotEmpty(t, Find(base64.StdEncoding.EncodeToString(text), hidden))
		assert.NotEmpty(t, Find(base64.RawURLEncoding.EncodeToString(text), hidden))
	}
}

func TestFewerCharactersAreNoPart(t *testing.T) {
	assert.Empty(t, Find(hidden[:partLength-1]+" "+hidden[partLength:partLength+15], hidden))
	assert.Empty(t, Find("", hidden))
	assert.Panics(t, func() { Find("text", hidden[:partLength-1]) })
}

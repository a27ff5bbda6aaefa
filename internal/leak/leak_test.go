package leak

import (
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

const secret = "uSysxGgWNcmcp8J9AbhOqlMxpOXHIj2Q0ZHUxl"

func TestEveryFormOfEveryPartIsFound(t *testing.T) {
	for at := range Parts(secret) {
		part := secret[at : at+partLength]
		for _, text := range []string{part, fmt.Sprintf("%x", part), fmt.Sprintf("%X", part)} {
			assert.Equal(t, part, Find("before"+text+"behind", secret), "%s", text)
		}
	}
	for before := range 3 {
		text := []byte("///"[:before] + secret + "\xff\xfe")
		assert.NotEmpty(t, Find(base64.StdEncoding.EncodeToString(text), secret))
		assert.NotEmpty(t, Find(base64.RawURLEncoding.EncodeToString(text), secret))
	}
}

func TestFewerCharactersAreNoPart(t *testing.T) {
	assert.Empty(t, Find(secret[:partLength-1]+" "+secret[partLength:partLength+15], secret))
	assert.Empty(t, Find("", secret))
	assert.Panics(t, func() { Find("text", secret[:partLength-1]) })
}

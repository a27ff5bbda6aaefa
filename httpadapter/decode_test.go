package httpadapter

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/assert"
)

func TestADecoderThatIsKeptForReuseKeepsNothingOfABody(t *testing.T) {
	for sentence, body := range map[string]string{
		"read to its end":              `{"token":"zebra"}`,
		"with a field of another type": `{"token":1,"x":"zebra"}`,
		"that breaks off":              `{"token":"zebra`,
		"with something behind it":     `{"token":"x"}zebra`,
	} {
		t.Run(sentence, func(t *testing.T) {
			var used *jsontext.Decoder
			_ = decodeObject([]byte(body), func(dec *jsontext.Decoder, name string) error {
				used = dec
				_, err := readString(dec, name)
				return err
			})
			assert.Zero(t, used.InputOffset())
			kept := used.UnreadBuffer()
			assert.NotContains(t, string(kept[:cap(kept)]), "zebra")
		})
	}
}

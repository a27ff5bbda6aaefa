package httpadapter

import (
	"io"
	"strings"
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

// The routes can't show this: a body that is no such object is refused in the end, whatever a field made of it.
func TestNothingButTheNamesOfAnObjectReachesAField(t *testing.T) {
	for body, want := range map[string][]string{
		`{"a":1,"b":{"c":2},"d":[]}`: {"a", "b", "d"},
		`["a",1]`:                    nil,
		`"a" 1`:                      nil,
		`1{"a":1}`:                   nil,
		`{"a":1,"a":2}`:              {"a"},
		`{"a":1,2:3}`:                {"a"},
		`{"a":1,"b`:                  {"a"},
		`{"a":1,}`:                   {"a"},
		`{"a":1]`:                    {"a"},
		`{"a":1}{"b":2}`:             {"a"},
	} {
		t.Run(body, func(t *testing.T) {
			var names []string
			_ = decodeObject([]byte(body), func(dec *jsontext.Decoder, name string) error {
				names = append(names, name)
				return dec.SkipValue()
			})
			assert.Equal(t, want, names)
		})
	}
}

func TestOfAFieldThatBreaksOffNothingIsReturnedButTheError(t *testing.T) {
	for sentence, c := range map[string]struct {
		body string
		read func(*jsontext.Decoder) (any, error)
	}{
		"a string":     {`"zebra`, func(dec *jsontext.Decoder) (any, error) { return readString(dec, "name") }},
		"strings":      {`["zebra","zebra`, func(dec *jsontext.Decoder) (any, error) { return readStrings(dec, "scopes") }},
		"a lifetime":   {`1.`, func(dec *jsontext.Decoder) (any, error) { return readDays(dec) }},
		"a group":      {`1.`, func(dec *jsontext.Decoder) (any, error) { return groupForm{}.read(dec) }},
		"a group text": {`"zebra`, func(dec *jsontext.Decoder) (any, error) { return groupForm{text: true}.read(dec) }},
	} {
		t.Run(sentence, func(t *testing.T) {
			value, err := c.read(jsontext.NewDecoder(strings.NewReader(c.body)))
			assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
			assert.Zero(t, value)
		})
	}
}

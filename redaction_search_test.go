package pat

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What must not be seen. Key and digest are printable, because an encoder could otherwise hide them by accident.
const (
	hidden       = "pat_0QJG9EqYRifx-uSysxGgWNcmcp8J9AbhOqlMxpOXHIj2Q0ZHUxl"
	hiddenKey    = "Kq7WmZ2xRt9LcVb4YnHs6TgPd1FjEu8A"
	hiddenDigest = "Gw5QzXe3DkMv0BiNr7UoCyJa2SfLp9Th"
)

// credentials are the secret of a value, a pepper key, and what is as good as the key: its two pads (RFC 2104 section
// 2) and the states of SHA-256 after them, in which crypto/hmac keeps it.
func credentials(t *testing.T) []string {
	t.Helper()
	texts := []string{hidden[secretStart:], hiddenKey}
	for _, pad := range []byte{0x36, 0x5c} {
		block := bytes.Repeat([]byte{pad}, sha256.BlockSize)
		for i := range hiddenKey {
			block[i] ^= hiddenKey[i]
		}
		state := sha256.New()
		_, _ = state.Write(block)
		saved, err := state.(encoding.BinaryMarshaler).MarshalBinary()
		require.NoError(t, err)
		texts = append(texts, string(block[:len(hiddenKey)]), string(saved[4:4+sha256.Size])) // behind a magic number
	}
	return texts
}

// search finds texts in what was printed: 16 characters of them, from every fourth on, as they are and as an encoder or
// a verb may write them.
type search struct {
	forms *strings.Replacer // of each form by nothing: the quickest search for many texts at once
	known map[string]bool   // what was searched already; many printers print the same
}

func searchFor(texts ...string) *search {
	var forms []string
	for _, text := range texts {
		for at := 0; at+16 <= len(text); at += 4 {
			part := text[at : at+16]
			forms = append(forms, part,
				fmt.Sprintf("%x", part), fmt.Sprintf("%X", part), fmt.Sprintf("% X", part),
				fmt.Sprintf("% x", part[:8]), // a hexadecimal dump has a gap behind every eight
				fmt.Sprintf("%# x", part), fmt.Sprintf("%# X", part),
				inner(fmt.Sprint([]byte(part))), inner(fmt.Sprintf("%#v", []byte(part))), inner(fmt.Sprintf("%b", []byte(part))),
				inner(fmt.Sprintf("%o", []byte(part))), inner(fmt.Sprintf("%c", []byte(part))),
				inner(fmt.Sprintf("%q", []rune(part))),
				inner(fmt.Sprintf("%U", []rune(part))), inner(strings.Join(strings.Fields(fmt.Sprint([]byte(part))), ",")),
			)
			for skip := range 3 { // base64 has three forms, by where the text begins within three bytes
				aligned := base64.StdEncoding.EncodeToString([]byte(part[skip:]))
				forms = append(forms, aligned[:16])
			}
		}
	}
	var pairs []string
	for _, form := range forms {
		pairs = append(pairs, form, "")
	}
	return &search{strings.NewReplacer(pairs...), make(map[string]bool)}
}

// inner takes away brackets, and the type before them.
func inner(list string) string {
	return strings.TrimRight(list[strings.LastIndexAny(list, "[{")+1:], "]}")
}

func (s *search) finds(printed string) bool {
	found, ok := s.known[printed]
	if !ok {
		found = s.forms.Replace(printed) != printed
		s.known[printed] = found
	}
	return found
}

func TestTheSearchFindsEveryFormOfASecret(t *testing.T) {
	for _, text := range append(credentials(t), hiddenDigest) {
		s := searchFor(text)
		for _, format := range []string{"%s", "%x", "%X", "% x", "%# X", "%d", "%v", "%#v", "%b", "%o", "%c"} {
			assert.True(t, s.finds(fmt.Sprintf(format, []byte("-"+text))), "%s of %q", format, text)
		}
		assert.True(t, s.finds(hex.Dump([]byte("1234"+text))))
		assert.True(t, s.finds(base64.StdEncoding.EncodeToString([]byte("-"+text))))
	}
	assert.True(t, searchFor(hiddenKey).finds(fmt.Sprintf("%q", "-"+hiddenKey)))
	assert.False(t, searchFor(credentials(t)...).finds(hidden[:secretStart]), "the prefix is public")
}

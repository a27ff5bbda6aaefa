package pat

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzParseValue holds the parser against its specification, in two forms that share no code with it: the published
// expression with the checksum by repeated subtraction, and the type specification, which the test on generated values
// relies on.
func FuzzParseValue(f *testing.F) {
	vectors, err := filepath.Glob("testdata/vectors/*.vector")
	require.NoError(f, err)
	require.NotEmpty(f, vectors)
	for _, file := range vectors {
		content, err := os.ReadFile(file)
		require.NoError(f, err)
		_, value, _ := bytes.Cut(content, []byte("\n\n"))
		f.Add(string(value))
	}
	form, fast := wholeValue(), newSpecification()
	f.Fuzz(func(t *testing.T, value string) {
		specified := form.MatchString(value) && base62(value[:49]) == value[49:]
		if fast.accepts(value) != specified {
			t.Fatal("the two forms of the specification differ")
		}
		prefix, ok := parsePrefix(value)
		if ok != specified {
			t.Fatalf("accepted %v, by the specification %v", ok, specified)
		}
		if ok && prefix != value[4:16] || !ok && prefix != "" {
			t.Fatalf("the prefix %q", prefix)
		}
	})
}

// wholeValue matches a text that is a value and nothing else, as far as an expression can tell.
func wholeValue() *regexp.Regexp { return regexp.MustCompile(`\A(?:` + ValuePattern + `)\z`) }

// specification is the documented form once more, fast enough for a thousand million values: a template with a ? for
// each character of the alphabet, a CRC-32 of its own, and the checksum's digits from the last to the first.
type specification struct{ crc [256]uint32 }

func newSpecification() *specification {
	var s specification
	for i := range s.crc {
		crc := uint32(i)
		for range 8 {
			crc = crc>>1 ^ 0xEDB88320*(crc&1) // the polynomial of IEEE 802.3, reversed
		}
		s.crc[i] = crc
	}
	return &s
}

func (s *specification) accepts(value string) bool {
	const template = "pat_????????????-??????????????????????????????????????"
	if len(value) != len(template) {
		return false
	}
	crc := ^uint32(0)
	for i := range len(template) {
		want, c := template[i], value[i]
		if want == '?' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') || want != '?' && c != want {
			return false
		}
		if i < 49 {
			crc = s.crc[byte(crc)^c] ^ crc>>8
		}
	}
	rest := ^crc
	for i := 54; i >= 49; i-- {
		digit := byte(rest % 62)
		rest /= 62
		switch {
		case digit < 10:
			digit += '0'
		case digit < 36:
			digit += 'A' - 10
		default:
			digit += 'a' - 36
		}
		if value[i] != digit {
			return false
		}
	}
	return true
}

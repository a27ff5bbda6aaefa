package pat

import (
	"hash/crc32"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNewValueHasTheDocumentedForm(t *testing.T) {
	whole := regexp.MustCompile(`^pat_([0-9A-Za-z]{12})-([0-9A-Za-z]{38})$`)
	published := regexp.MustCompile(ValuePattern)
	seen := make(map[string]bool)
	for range 2000 {
		value, prefix := newValue()
		require.Len(t, value, 55)
		m := whole.FindStringSubmatch(value)
		require.NotNil(t, m, "the value does not match its form")
		require.Equal(t, m[1], prefix)
		require.Equal(t, value, published.FindString("a log line: "+value+", and more"))
		require.Equal(t, 1, strings.Count(value, "-"))
		parsed, ok := parsePrefix(value)
		require.True(t, ok)
		require.Equal(t, prefix, parsed)
		require.False(t, seen[prefix], "a prefix came twice")
		seen[prefix] = true
	}
}

func TestRandomCharactersAreDrawnEvenly(t *testing.T) {
	const n = 62 * 10_000
	counts := make(map[byte]int)
	for _, c := range appendRandom(nil, n) {
		counts[c]++
	}
	require.Len(t, counts, 62)
	// Chi-square with 61 degrees of freedom: 150 is exceeded by chance once in 10^9 runs. Taking a byte modulo 62
	// without drawing again gives about 3,000 here.
	chi := 0.0
	for _, c := range counts {
		d := float64(c - n/62)
		chi += d * d / float64(n/62)
	}
	assert.Less(t, chi, 150.0)
}

func TestChecksumIsTheDocumentedOne(t *testing.T) {
	// CRC-32 of "123456789" is the algorithm's published check value.
	require.Equal(t, uint32(0xCBF43926), crc32.ChecksumIEEE([]byte("123456789")))
	for text, want := range map[string]string{"123456789": base62("123456789"), "": "000000"} {
		assert.Equal(t, want, string(appendBase62(nil, checksum(text))))
	}
	assert.Equal(t, "4gfFC3", string(appendBase62(nil, 1<<32-1)), "the largest checksum")
}

// base62 is the checksum written another way: by repeated subtraction of powers.
func base62(text string) string {
	rest := uint64(crc32.ChecksumIEEE([]byte(text)))
	var out strings.Builder
	for _, power := range []uint64{916132832, 14776336, 238328, 3844, 62, 1} {
		digit := 0
		for rest >= power {
			rest -= power
			digit++
		}
		out.WriteByte("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[digit])
	}
	return out.String()
}

package pat

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDigestRoundTripsThroughItsEncodedForm(t *testing.T) {
	for _, d := range []Digest{
		makeDigest("sha256", "", []byte(strings.Repeat("\x00", 32))),
		makeDigest("hmac-sha256", "k-1_2.3", []byte("$$$$\xff")),
		makeDigest("bcrypt", "", []byte("$2b$10$abcdefghijklmnopqrstuuLsi")),
	} {
		parsed, err := ParseDigest(d.Encoded())
		require.NoError(t, err)
		assert.Equal(t, d, parsed)
		assert.Equal(t, d.Algorithm()+"$"+d.KeyID()+"$"+d.sum(), d.Encoded())
	}
}

func TestParseDigestRefusesWhatIsNoDigest(t *testing.T) {
	for name, encoded := range map[string]string{
		"nothing":                      "",
		"no separator":                 "sha256",
		"one separator":                "sha256$x",
		"no bytes":                     "sha256$$",
		"no algorithm":                 "$$x",
		"an algorithm in upper case":   "SHA256$$x",
		"an algorithm with a space":    "sha 256$$x",
		"a long algorithm":             strings.Repeat("a", 33) + "$$x",
		"a key id with a space":        "hmac-sha256$a b$x",
		"a long key id":                "hmac-sha256$" + strings.Repeat("a", 33) + "$x",
		"more than the longest digest": "sha256$$" + strings.Repeat("x", 512),
	} {
		t.Run(name, func(t *testing.T) {
			d, err := ParseDigest(encoded)
			require.ErrorIs(t, err, ErrCorrupt)
			assert.NotErrorIs(t, err, ErrInvalidToken)
			assert.True(t, d.IsZero())
		})
	}
}

func TestDigestPrintsItsAlgorithmAlone(t *testing.T) {
	d := makeDigest("sha256", "", []byte("0123456789abcdef0123456789abcdef"))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		assert.Equal(t, "digest(sha256)", fmt.Sprintf(verb, d))
		assert.NotContains(t, fmt.Sprintf(verb, Record{Digest: d}), "0123456789")
	}
	assert.Equal(t, "digest(sha256)", d.LogValue().String())
	encoded, err := json.Marshal(Record{Digest: d})
	require.NoError(t, err)
	assert.NotContains(t, string(encoded), "0123456789")
}

// FuzzParseDigest holds the parser against its rule as an expression.
func FuzzParseDigest(f *testing.F) {
	for _, seed := range []string{
		"sha256$$0123456789abcdef0123456789abcdef", "hmac-sha256$key$0123456789abcdef0123456789abcdef", "bcrypt$$$2b$10$", "$", "a$b c$d", "a$_.-$\n",
		"sha256$$\xff\x00", "A$$x", strings.Repeat("a", 32) + "$" + strings.Repeat("Z", 32) + "$x", "sha256$$" + strings.Repeat("x", 504), "sha256$$" + strings.Repeat("x", 505),
	} {
		f.Add(seed)
	}
	form := regexp.MustCompile(`(?s)\A([a-z0-9-]{1,32})\$([0-9A-Za-z_.-]{0,32})\$(.+)\z`)
	f.Fuzz(func(t *testing.T, encoded string) {
		d, err := ParseDigest(encoded)
		parts := form.FindStringSubmatch(encoded)
		if specified := parts != nil && len(encoded) <= 512; specified != (err == nil) {
			t.Fatalf("a digest %v, and %v", specified, err)
		}
		if err != nil {
			if !d.IsZero() || !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%v, and a digest beside it", err)
			}
			return
		}
		if d.Encoded() != encoded || d.Algorithm() != parts[1] || d.KeyID() != parts[2] || d.sum() != parts[3] {
			t.Fatalf("the parts %q %q %q of %q", d.Algorithm(), d.KeyID(), d.sum(), encoded)
		}
	})
}

// A golden value is a value that a release issued, with the digest it stored. They are never changed or removed: a
// token issued by any release verifies in every later one.
type goldenValue struct {
	Release  string `json:"release"`
	Value    string `json:"value"`
	PepperID string `json:"pepperId"`
	Pepper   string `json:"pepper"` // hexadecimal
	Digest   string `json:"digest"` // hexadecimal, of the encoded form
}

func TestGoldenValuesStillVerify(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "golden.json"))
	require.NoError(t, err)
	var golden []goldenValue
	require.NoError(t, json.Unmarshal(data, &golden))
	require.NotEmpty(t, golden)
	for _, g := range golden {
		var keys []PepperKey
		if g.PepperID != "" {
			key, err := hex.DecodeString(g.Pepper)
			require.NoError(t, err)
			keys = []PepperKey{{ID: g.PepperID, Key: NewSecret(key)}}
		}
		h, err := newHashers(keys, Imported{})
		require.NoError(t, err)
		_, ok := parsePrefix(g.Value)
		assert.True(t, ok, "a value of release %s is malformed", g.Release)
		encoded, err := hex.DecodeString(g.Digest)
		require.NoError(t, err)
		d, err := ParseDigest(string(encoded))
		require.NoError(t, err)
		match, _, err := h.matchFast(d, g.Value)
		require.NoError(t, err)
		assert.True(t, match, "a value of release %s does not match its digest", g.Release)
		assert.Equal(t, d, h.digest(g.Value), "the same value gets another digest than in release %s", g.Release)
	}
}

package pat

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Digest is the stored, one-way form of a token value. It describes itself: algorithm, key id, bytes. It is computed
// over the whole value, so that a digest moved to another prefix matches nothing there, and it is never accepted as a
// token. It prints as its algorithm alone. The zero Digest matches no value.
type Digest struct{ encoded string }

// maxDigestLength bounds what ParseDigest takes. The longest digest of the built-in algorithms is an Argon2id string
// of about 100 bytes.
const maxDigestLength = 512

// ParseDigest reads what [Digest.Encoded] returns, as a store does with what it kept. Anything else is [ErrCorrupt].
func ParseDigest(encoded string) (Digest, error) {
	algorithm, rest, ok := strings.Cut(encoded, "$")
	if !ok || len(encoded) > maxDigestLength || !isAlgorithm(algorithm) {
		return Digest{}, fmt.Errorf("%w: digest", ErrCorrupt)
	}
	keyID, sum, ok := strings.Cut(rest, "$")
	if !ok || sum == "" || keyID != "" && !isKeyID(keyID) {
		return Digest{}, fmt.Errorf("%w: digest", ErrCorrupt)
	}
	return Digest{encoded: encoded}, nil
}

func makeDigest(algorithm, keyID string, sum []byte) Digest {
	return Digest{encoded: algorithm + "$" + keyID + "$" + string(sum)}
}

// Encoded returns the form to store: <algorithm>$<key id>$<bytes>. The bytes may be any, so that a column for it has
// to be a binary one. Two digests are the same if their encoded forms are equal.
func (d Digest) Encoded() string { return d.encoded }

// Algorithm returns the name of the algorithm, such as "sha256".
func (d Digest) Algorithm() string {
	algorithm, _, _ := strings.Cut(d.encoded, "$")
	return algorithm
}

// KeyID returns the id of the pepper key, or "" for an algorithm without one.
func (d Digest) KeyID() string {
	_, rest, _ := strings.Cut(d.encoded, "$")
	keyID, _, _ := strings.Cut(rest, "$")
	return keyID
}

// sum returns the bytes behind the algorithm and the key id.
func (d Digest) sum() string {
	_, rest, _ := strings.Cut(d.encoded, "$")
	_, sum, _ := strings.Cut(rest, "$")
	return sum
}

// IsZero reports whether d is the zero Digest.
func (d Digest) IsZero() bool { return d.encoded == "" }

// String returns the algorithm and no more.
func (d Digest) String() string { return "digest(" + d.Algorithm() + ")" }

// Format prints what String returns, under every verb and flag that fmt asks it about. It doesn't under %p and %w, in
// an unexported field, and behind a pointer within something else, such as a []*Record under %s. There, and in failed
// assertions, the bytes are seen. They are no credential.
func (d Digest) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, d.String()) }

// LogValue returns what String returns.
func (d Digest) LogValue() slog.Value { return slog.StringValue(d.String()) }

func isAlgorithm(s string) bool { return isWord(s, "abcdefghijklmnopqrstuvwxyz0123456789-") }

func isKeyID(s string) bool { return isWord(s, alphabet+"-_.") }

// isWord reports whether s has 1 to 32 characters, all of them from the given ones.
func isWord(s, from string) bool {
	return s != "" && len(s) <= 32 && strings.Trim(s, from) == ""
}

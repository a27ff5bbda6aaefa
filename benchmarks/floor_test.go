package benchmarks

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"hash/crc32"
	"testing"
	"time"
	"unsafe"
)

// verifyFloor is the least that verifying a token of this library's form takes: parse it, look it up in a Go map, hash,
// compare in constant time, look at the clock. It does less than the library: nothing can be added to the map or taken
// from it while it is read, it returns a part of what it holds instead of a copy, knows one kind of digest, and has no
// hooks, no faults and no last-used time. What leaks from it is digests.
func verifyFloor(b *testing.B) {
	for _, n := range sizes(b, anySize) {
		b.Run(name("floor", "map", n), func(b *testing.B) {
			records, valid := issue(b, n)
			held := make(map[string]*row, n)
			for i, c := range valid {
				held[records[i].Token.Prefix] = &row{c.owner, sha256.Sum256([]byte(c.value)), records[i].Token.ExpiresAt, time.Time{}}
			}
			measure(b, subject{
				verify:  func(_ context.Context, value string) (string, error) { return floor(held, value) },
				valid:   valid,
				refused: otherSecret(valid[0].value),
			})
		})
	}
}

// row is what the floor holds for a token.
type row struct {
	owner     string
	digest    [sha256.Size]byte
	expiresAt time.Time
	revokedAt time.Time
}

func floor(held map[string]*row, value string) (string, error) {
	now := time.Now()
	if !wellFormed(value) {
		return "", errRefused
	}
	found := held[value[4:16]]
	if found == nil {
		return "", errRefused
	}
	var text [valueLength]byte
	copy(text[:], value)
	sum := sha256.Sum256(text[:])
	if subtle.ConstantTimeCompare(found.digest[:], sum[:]) != 1 || !found.revokedAt.IsZero() || !now.Before(found.expiresAt) {
		return "", errRefused
	}
	return found.owner, nil
}

const (
	alphabet       = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	valueLength    = 55
	checksumLength = 6
)

var inAlphabet = func() (set [256]bool) {
	for i := range len(alphabet) {
		set[alphabet[i]] = true
	}
	return set
}()

// wellFormed is the parsing of package pat, which doesn't export it.
func wellFormed(value string) bool {
	if len(value) != valueLength || value[:4] != "pat_" || value[16] != '-' {
		return false
	}
	for i := 4; i < valueLength; i++ {
		if !inAlphabet[value[i]] && i != 16 {
			return false
		}
	}
	sum := checksum(value[:valueLength-checksumLength])
	return string(sum[:]) == value[valueLength-checksumLength:]
}

func checksum(text string) (digits [checksumLength]byte) {
	// As in package pat: crc32 lets its argument escape, so that a copy would be allocated.
	sum := crc32.ChecksumIEEE(unsafe.Slice(unsafe.StringData(text), len(text)))
	for i := checksumLength - 1; i >= 0; i-- {
		digits[i] = alphabet[sum%62]
		sum /= 62
	}
	return digits
}

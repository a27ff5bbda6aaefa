package pat

import (
	"crypto/rand"
	"hash/crc32"
	"unsafe"
)

// ValuePattern is a regular expression (RE2, and ECMAScript alike) that finds token values in text. Secret scanners
// and log filters are its users.
const ValuePattern = `\bpat_[0-9A-Za-z]{12}-[0-9A-Za-z]{38}\b`

// The parts of a value: pat_<prefix>-<secret>, where the secret ends in a checksum.
const (
	valueMarker    = "pat_"
	prefixLength   = 12 // 71 bits: public, unique for ever
	entropyLength  = 32 // 190 bits from crypto/rand
	checksumLength = 6  // 62^6 > 2^32, so that every CRC-32 fits

	prefixEnd     = len(valueMarker) + prefixLength
	secretStart   = prefixEnd + 1
	checksumStart = secretStart + entropyLength
	valueLength   = checksumStart + checksumLength // 55, which SHA-256 takes in a single block
)

// alphabet is base62. It has no '-' and no '_', so that the delimiter never occurs within a part and a double click
// selects a whole part.
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// digitOf is the inverse of alphabet. Any other byte has the bits of notADigit.
var digitOf = func() (digits [256]byte) {
	for i := range digits {
		digits[i] = notADigit
	}
	for i := range len(alphabet) {
		digits[alphabet[i]] = byte(i)
	}
	return digits
}()

const notADigit = 0x80

// newValue makes a value from crypto/rand and returns its prefix beside it.
func newValue() (value, prefix string) {
	b := make([]byte, 0, valueLength)
	b = append(b, valueMarker...)
	b = appendRandom(b, prefixLength)
	prefix = string(b[len(valueMarker):])
	b = append(b, '-')
	b = appendRandom(b, entropyLength)
	b = appendBase62(b, checksum(string(b)))
	return string(b), prefix
}

// appendRandom appends n characters, each drawn evenly from the alphabet.
func appendRandom(b []byte, n int) []byte {
	// The largest multiple of 62 in a byte. A byte at or above it is drawn again, because taking the remainder would
	// favour the first characters of the alphabet.
	const even = 256 - 256%len(alphabet)
	var random [64]byte
	for n > 0 {
		_, _ = rand.Read(random[:]) // never returns an error: it crashes the program instead (crypto/rand, Go 1.24)
		for _, r := range random {
			if int(r) < even && n > 0 {
				b = append(b, alphabet[int(r)%len(alphabet)])
				n--
			}
		}
	}
	return b
}

// parsePrefix returns the prefix of a well-formed value. It allocates nothing, and the prefix is a part of value: a
// caller that keeps it would keep the secret in memory.
func parsePrefix(value string) (prefix string, ok bool) {
	if len(value) != valueLength || value[:len(valueMarker)] != valueMarker || value[prefixEnd] != '-' {
		return "", false
	}
	if !isBase62(value[len(valueMarker):prefixEnd]) || !isBase62(value[secretStart:]) {
		return "", false
	}
	// A plain comparison: the checksum can be computed by anybody, so its timing tells nothing. Six digits can express
	// more than 32 bits, hence 64: each checksum has one spelling.
	sum := value[checksumStart:]
	digit := func(i int) uint64 { return uint64(digitOf[sum[i]]) }
	digits := digit(0)*62*62*62*62*62 + digit(1)*62*62*62*62 + digit(2)*62*62*62 + digit(3)*62*62 + digit(4)*62 + digit(5)
	if digits != uint64(checksum(value[:checksumStart])) {
		return "", false
	}
	return value[len(valueMarker):prefixEnd], true
}

// isBase62 looks at every byte before it answers, which is faster than to stop at the first bad one: values are mostly
// good. It takes eight at a time, because the processor may guess wrong where a longer loop ends, which shows in a
// verification, and depends on where the linker puts the code.
func isBase62(s string) bool {
	var seen byte
	for ; len(s) >= 8; s = s[8:] {
		seen |= digitOf[s[0]] | digitOf[s[1]] | digitOf[s[2]] | digitOf[s[3]] |
			digitOf[s[4]] | digitOf[s[5]] | digitOf[s[6]] | digitOf[s[7]]
	}
	for i := range len(s) {
		seen |= digitOf[s[i]]
	}
	return seen&notADigit == 0
}

// checksum is the CRC-32 (IEEE) of everything before it. It turns away typing errors and garbage before a store is
// asked. It is a filter, not security.
func checksum(text string) uint32 { return crc32.ChecksumIEEE(bytesOf(text)) }

// bytesOf returns the bytes of a string where a conversion would copy or allocate. They must only be read.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// appendBase62 appends sum in base62, with leading zeros, most significant digit first.
func appendBase62(b []byte, sum uint32) []byte {
	var digits [checksumLength]byte
	for i := checksumLength - 1; i >= 0; i-- {
		digits[i] = alphabet[sum%62]
		sum /= 62
	}
	return append(b, digits[:]...)
}

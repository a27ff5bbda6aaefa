package main

import (
	"hash/crc32"
	"math/rand/v2"
)

const (
	alphabet     = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	secretStart  = len("pat_") + 12 + len("-")
	secretLength = 32 // without the checksum
)

// values makes well-formed values that are not valid. The issued ones are what it makes them from.
type values struct{ issued []string }

// unknown returns a value that was never issued. Its prefix is random: the chance that it exists is below 10^-15.
func (v values) unknown() string {
	text := appendRandom([]byte("pat_"), secretStart-len("pat_")-1)
	return complete(appendRandom(append(text, '-'), secretLength))
}

// wrong returns the value of some token, of which the secret's first characters are right, as many as matching says, and
// the next one is wrong.
func (v values) wrong(matching int) func() string {
	return func() string {
		right := v.issued[draw(len(v.issued))]
		text := appendRandom([]byte(right[:secretStart+matching]), secretLength-matching)
		at := secretStart + matching
		for text[at] == right[at] {
			text[at] = alphabet[draw(len(alphabet))]
		}
		return complete(text)
	}
}

// mistyped returns the value of some token with one wrong digit in its checksum.
func (v values) mistyped() string {
	text := []byte(v.issued[draw(len(v.issued))])
	last := len(text) - 1
	for right := text[last]; text[last] == right; {
		text[last] = alphabet[draw(len(alphabet))]
	}
	return string(text)
}

// draw returns a random number below n.
func draw(n int) int { return rand.IntN(n) } //nolint:gosec // these values are to be refused, and nobody has to guess them

func appendRandom(text []byte, n int) []byte {
	for range n {
		text = append(text, alphabet[draw(len(alphabet))])
	}
	return text
}

// complete appends the checksum: the CRC-32 in base62, most significant digit first.
func complete(text []byte) string {
	sum := crc32.ChecksumIEEE(text)
	var digits [6]byte
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = alphabet[sum%62]
		sum /= 62
	}
	return string(append(text, digits[:]...))
}

// Package leak finds parts of secrets in what was written somewhere. The tests of every package that must not show a
// secret use it, so that they all mean the same by "a part".
package leak

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// partLength is how many characters in a row count as a part: 16 of base62 are 95 bits, which nobody hits by chance.
const partLength = 16

// Find returns a part of the secret that the text shows, as it is, in hexadecimal digits or in base64, or "" if there is
// none. The secret is the part of a value that nobody may see, without the public prefix. It panics if the secret is
// shorter than a part, as nothing would be searched for.
func Find(text, secret string) (part string) {
	for at := range Parts(secret) {
		part := secret[at : at+partLength]
		for _, form := range forms(part) {
			if strings.Contains(text, form) {
				return part
			}
		}
	}
	return ""
}

// Parts returns how many parts Find searches for.
func Parts(secret string) int {
	if len(secret) < partLength {
		panic("leak: a secret that is shorter than a part")
	}
	return len(secret) - partLength + 1
}

// forms returns how a part may be written. Base64 has three forms, by where the part begins within three bytes; of each,
// the last characters depend on what follows, and are left out.
func forms(part string) []string {
	inHex := hex.EncodeToString([]byte(part))
	all := []string{part, inHex, strings.ToUpper(inHex)}
	for skip := range 3 {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			all = append(all, encoding.EncodeToString([]byte(part[skip:]))[:partLength])
		}
	}
	return all
}

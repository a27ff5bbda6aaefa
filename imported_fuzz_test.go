package pat_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/patkit/pat"
)

// FuzzArgon2idCheck holds the check against the bounds that Argon2id names, by a reading that uses no expression. What
// it lets pass can be compared; only the cheapest is, so that inputs stay fast.
func FuzzArgon2idCheck(f *testing.F) {
	const salt, hash = "c29tZXNhbHRzb21lc2FsdA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	for _, parameters := range []string{
		"m=64,t=1,p=1", "m=064,t=1,p=1", "m=262144,t=16,p=16", "m=262145,t=1,p=1", "m=64,t=17,p=1", "m=1024,t=1,p=17", "m=64,t=0,p=1", "m=31,t=1,p=4",
		"m=4294967296,t=1,p=1", "m=64,t=1,p=257", "t=1,m=64,p=1", "m=64,t=1,p=1,x=1", "m=+64,t=1,p=1",
	} {
		f.Add("$argon2id$v=19$" + parameters + "$" + salt + "$" + hash)
	}
	f.Add("$argon2id$v=19$m=64,t=1,p=1$" + salt[:21] + "B$" + hash)
	f.Add("$argon2id$v=19$m=64,t=1,p=1$" + salt + "$AAAA")
	f.Add("$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + hash[:20] + "\n" + hash[20:])
	f.Fuzz(func(t *testing.T, encoded string) {
		specified, cheap := isSpecifiedArgon2id(encoded)
		if err := pat.Argon2id().Check(encoded); specified != (err == nil) {
			t.Fatalf("within the bounds: %v, and %v", specified, err)
		}
		if !specified || cheap {
			checkMatch(t, pat.Argon2id(), encoded, specified)
		}
	})
}

func isSpecifiedArgon2id(encoded string) (specified, cheap bool) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 {
		return false, false
	}
	var memory, passes, lanes uint64
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes); err != nil {
		return false, false
	}
	if strings.Join(parts[:4], "$") != fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d", memory, passes, lanes) {
		return false, false // another order, a sign, a zero before, or something behind
	}
	return 8*lanes <= memory && memory <= 256*1024 && 1 <= passes && passes <= 16 && 1 <= lanes && lanes <= 16 &&
		isBase64(parts[4], 8, 64) && isBase64(parts[5], 16, 64), memory <= 128 && passes <= 2
}

// isBase64 reports whether the text is the one spelling of so many bytes.
func isBase64(text string, least, most int) bool {
	b, err := base64.RawStdEncoding.DecodeString(text)
	return err == nil && len(b) >= least && len(b) <= most && base64.RawStdEncoding.EncodeToString(b) == text
}

// checkMatch compares a value with a digest that has nothing to do with it.
func checkMatch(t *testing.T, hasher pat.Hasher, encoded string, specified bool) {
	t.Helper()
	match, err := hasher.Match(encoded, "value")
	if match || specified != (err == nil) || !specified && !errors.Is(err, pat.ErrCorrupt) {
		t.Fatalf("within the bounds: %v, a match %v, and %v", specified, match, err)
	}
}

// FuzzBcryptCheck holds the check against the bounds that Bcrypt names. No input is compared that costs a hash.
func FuzzBcryptCheck(f *testing.F) {
	const rest = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	for _, head := range []string{"$2a$04$", "$2b$14$", "$2y$10$", "$2a$15$", "$2a$31$", "$2a$03$", "$2x$10$", "$2a$4$", "$2$10$", "$2a$+9$", ""} {
		f.Add(head + rest[:53])
		f.Add(head + rest[:53] + "\n")
		f.Add(head + rest[:52] + "\x00")
	}
	f.Fuzz(func(t *testing.T, encoded string) {
		specified := len(encoded) == 60
		for i := 0; specified && i < 60; i++ {
			from := "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			switch i {
			case 0, 3, 6:
				from = "$"
			case 1:
				from = "2"
			case 2:
				from = "aby"
			case 4:
				from = "01"
			case 5:
				from = "456789"
				if encoded[4] == '1' {
					from = "01234"
				}
			}
			specified = strings.IndexByte(from, encoded[i]) >= 0
		}
		if err := pat.Bcrypt().Check(encoded); specified != (err == nil) {
			t.Fatalf("within the bounds: %v, and %v", specified, err)
		}
		if !specified {
			checkMatch(t, pat.Bcrypt(), encoded, false)
		}
	})
}

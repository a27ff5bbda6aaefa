package benchmarks

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// The peers here are services that keep their tokens as they keep passwords, under a hash that is slow on purpose. Each
// finds the hash by the public first characters of the token, in a Go map, then hashes and compares.
//
// They do less than this library: expiry, revocation, scopes and last-used times are left out, since nothing of that
// would show. What leaks from the database is digests. Being slow is of use where a secret can be guessed; a random one
// of 190 bits can't be, under any hash. Whoever sends garbage to a known prefix makes the server work as long as an
// owner.

// verifyBcrypt is bcrypt at cost 10, the default of golang.org/x/crypto.
func verifyBcrypt(b *testing.B) {
	measureSlow(b, "bcrypt-10", func(value string, _ []byte) []byte {
		digest, err := bcrypt.GenerateFromPassword([]byte(value), bcrypt.DefaultCost)
		require.NoError(b, err)
		return digest
	}, func(value string, held *slowDigest) bool {
		return bcrypt.CompareHashAndPassword(held.digest, []byte(value)) == nil
	})
}

// verifyArgon2id is Argon2id with 19 MiB, two passes and one thread, the least that the OWASP Password Storage Cheat
// Sheet asks for.
func verifyArgon2id(b *testing.B) {
	digest := func(value string, salt []byte) []byte {
		return argon2.IDKey([]byte(value), salt, 2, 19*1024, 1, 32)
	}
	measureSlow(b, "argon2id", digest, compareWith(digest))
}

// verifyPBKDF2 is PBKDF2 with HMAC-SHA-256, 10,000 rounds and 50 bytes, as Gitea keeps its access tokens
// (models/auth/twofactor.go, HashToken). Gitea also remembers by default the last 20 that were right, for which it does
// not hash again (models/auth/access_token.go): that is left out here.
func verifyPBKDF2(b *testing.B) {
	digest := func(value string, salt []byte) []byte {
		key, err := pbkdf2.Key(sha256.New, value, salt, 10_000, 50)
		require.NoError(b, err)
		return key
	}
	measureSlow(b, "pbkdf2-10000", digest, compareWith(digest))
}

// slowDigest is what the map holds for a token.
type slowDigest struct {
	owner  string
	salt   []byte
	digest []byte
}

func compareWith(digest func(value string, salt []byte) []byte) func(string, *slowDigest) bool {
	return func(value string, held *slowDigest) bool {
		return subtle.ConstantTimeCompare(digest(value, held.salt), held.digest) == 1
	}
}

// publicLength is how many characters of a token it is looked up by.
const publicLength = 8

func measureSlow(b *testing.B, peer string, digest func(value string, salt []byte) []byte, match func(string, *slowDigest) bool) {
	b.Helper()
	const few = 10 // digests take long to make
	b.Run(name(peer, "map", few), func(b *testing.B) {
		held := make(map[string]*slowDigest, few)
		valid := make([]credential, few)
		for i := range valid {
			value, salt := rand.Text(), []byte(rand.Text()[:16])
			held[value[:publicLength]] = &slowDigest{owner(i), salt, digest(value, salt)}
			valid[i] = credential{value, owner(i)}
		}
		measure(b, subject{
			verify: func(_ context.Context, value string) (string, error) {
				found := held[value[:publicLength]]
				if found == nil || !match(value, found) {
					return "", errRefused
				}
				return found.owner, nil
			},
			valid:   valid,
			refused: changed(valid[0].value, publicLength+5),
		})
	})
}

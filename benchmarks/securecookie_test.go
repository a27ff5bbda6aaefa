package benchmarks

import (
	"context"
	"crypto/rand"
	"testing"

	"github.com/gorilla/securecookie"
	"github.com/stretchr/testify/require"
)

// verifySecureCookie is github.com/gorilla/securecookie: a cookie that carries its values, encrypted (AES-256) and
// authenticated (HMAC-SHA-256).
//
// Less: as with a signed token there is no look-up, and so no revocation, no last-used time, no list and no limit;
// no scopes of its own; it ends when its age says so. More: the holder can't read what is in it. There is no database
// that could leak; whoever gets the keys can make cookies for everybody.
func verifySecureCookie(b *testing.B) {
	b.Run(name("securecookie", "none", someTokens), func(b *testing.B) {
		hashKey, blockKey := make([]byte, 64), make([]byte, 32)
		_, _ = rand.Read(hashKey) // never fails, as its documentation says
		_, _ = rand.Read(blockKey)
		codec := securecookie.New(hashKey, blockKey)
		valid := make([]credential, someTokens)
		for i := range valid {
			value, err := codec.Encode("session", map[string]string{"user": owner(i), "scope": "read"})
			require.NoError(b, err)
			valid[i] = credential{value, owner(i)}
		}
		measure(b, subject{
			verify: func(_ context.Context, value string) (string, error) {
				var found map[string]string
				err := codec.Decode("session", value, &found)
				return found["user"], err
			},
			valid:   valid,
			refused: changed(valid[0].value, len(valid[0].value)/2),
		})
	})
}

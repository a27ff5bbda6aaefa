package benchmarks

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// verifyJWT is github.com/golang-jwt/jwt/v5: signed tokens that carry what they say, parsed and validated.
//
// Less: there is no look-up, and so no revocation before the expiry, no last-used time, no list, no limit, nothing that
// could be changed after it was issued. A service that has to revoke looks into a list of its own at each request,
// which is not measured here. More: whoever has the public key can verify, without asking anybody. There is no database
// that could leak; whoever gets the signing key can make tokens for everybody.
func verifyJWT(b *testing.B) {
	for _, kind := range []struct {
		method jwt.SigningMethod
		keys   func() (sign, verify any, err error)
	}{
		{jwt.SigningMethodHS256, func() (any, any, error) {
			secret := []byte(rand.Text() + rand.Text())
			return secret, secret, nil
		}},
		{jwt.SigningMethodEdDSA, func() (any, any, error) {
			public, private, err := ed25519.GenerateKey(rand.Reader)
			return private, public, err
		}},
		{jwt.SigningMethodRS256, func() (any, any, error) {
			private, err := rsa.GenerateKey(rand.Reader, 2048)
			return private, private.Public(), err
		}},
	} {
		b.Run(name("golang-jwt-"+kind.method.Alg(), "none", someTokens), func(b *testing.B) {
			sign, verify, err := kind.keys()
			require.NoError(b, err)
			valid := make([]credential, someTokens)
			for i := range valid {
				value, err := jwt.NewWithClaims(kind.method, &claims{
					RegisteredClaims: jwt.RegisteredClaims{
						Issuer: "service", Subject: owner(i), ID: rand.Text(),
						IssuedAt: jwt.NewNumericDate(time.Now()), ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Hour)),
					},
					Scope: "read",
				}).SignedString(sign)
				require.NoError(b, err)
				valid[i] = credential{value, owner(i)}
			}
			parser := jwt.NewParser(jwt.WithValidMethods([]string{kind.method.Alg()}), jwt.WithExpirationRequired(), jwt.WithIssuer("service"))
			key := func(*jwt.Token) (any, error) { return verify, nil }
			measure(b, subject{
				verify: func(_ context.Context, value string) (string, error) {
					var found claims
					_, err := parser.ParseWithClaims(value, &found, key)
					return found.Subject, err
				},
				valid:   valid,
				refused: changed(valid[0].value, strings.LastIndexByte(valid[0].value, '.')+10),
			})
		})
	}
}

type claims struct {
	jwt.RegisteredClaims
	Scope string `json:"scope"`
}

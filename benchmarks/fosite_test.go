package benchmarks

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/storage"
	"github.com/stretchr/testify/require"
)

// verifyFosite is github.com/ory/fosite: opaque tokens signed with HMAC-SHA-512/256, introspected over its own store in
// memory. It is the nearest relative: opaque, looked up, revocable at once, with expiry and scopes.
//
// More: it is a whole OAuth 2.0 server, and each introspection has a tracing span and merges the grant of the token
// into a request, with client and audiences. Less: no checksum, so that garbage costs a look-up; no last-used time, no
// list of an owner's tokens, no limit; its README calls the memory store an example; it holds its locks around maps.
// What leaks from a store is half of each token, the signature, by which it is found; the other half is not in it, and
// the server's secret is needed to make one from the other.
func verifyFosite(b *testing.B) {
	for _, n := range sizes(b, anySize) {
		b.Run(name("fosite", "memory", n), func(b *testing.B) {
			config := &fosite.Config{GlobalSecret: []byte(rand.Text() + rand.Text())[:32], AccessTokenLifespan: time.Hour}
			strategy := compose.NewOAuth2HMACStrategy(config)
			store := storage.NewMemoryStore()
			client := &fosite.DefaultClient{ID: "client", Scopes: []string{"read"}}
			valid := make([]credential, n)
			for i := range valid {
				request := fosite.NewAccessRequest(&fosite.DefaultSession{
					Subject:   owner(i),
					ExpiresAt: map[fosite.TokenType]time.Time{fosite.AccessToken: time.Now().Add(time.Hour)},
				})
				request.Client = client
				request.GrantScope("read")
				value, signature, err := strategy.GenerateAccessToken(b.Context(), request)
				require.NoError(b, err)
				require.NoError(b, store.CreateAccessTokenSession(b.Context(), signature, request))
				valid[i] = credential{value, owner(i)}
			}
			provider := compose.Compose(config, store, &compose.CommonStrategy{CoreStrategy: strategy},
				compose.OAuth2TokenIntrospectionFactory)
			measure(b, subject{
				verify: func(ctx context.Context, value string) (string, error) {
					_, found, err := provider.IntrospectToken(ctx, value, fosite.AccessToken, new(fosite.DefaultSession))
					if err != nil {
						return "", err
					}
					return found.GetSession().GetSubject(), nil
				},
				valid:   valid,
				refused: changed(valid[0].value, len("ory_at_")+5), // the random half: it is found, and the signature fails
			})
		})
	}
}

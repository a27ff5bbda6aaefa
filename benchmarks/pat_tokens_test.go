package benchmarks

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

// recently is the Config of the benchmarks: the tokens are used more often than once per interval, as in a service
// under load, so that no verification has a use to record. Those that do record say so in their name.
var recently = pat.Config{LastUsedInterval: time.Hour}

// capture is a store that keeps the last record it was given, and holds none.
type capture struct {
	pat.Store
	last pat.Record
}

func (c *capture) Insert(_ context.Context, rec pat.Record, _ int) error {
	c.last = rec
	return nil
}

// issue makes n records, ten to a group, and what their owners present. The tokens were used just now.
func issue(b *testing.B, n int) (records []pat.Record, valid []credential) {
	b.Helper()
	store := new(capture)
	issuer, err := pat.NewIssuer(store, recently)
	require.NoError(b, err)
	for i := range n {
		params := pat.CreateParams{UserID: owner(i), GroupID: fmt.Sprint(i / 10), Name: "deploy", Scopes: []string{"read"}}
		issued, err := issuer.Create(b.Context(), params)
		require.NoError(b, err)
		store.last.Token.LastUsedAt = store.last.Token.CreatedAt
		records = append(records, store.last)
		valid = append(valid, credential{issued.Value.Reveal(), owner(i)})
	}
	return records, valid
}

// otherSecret returns a value with the same prefix and another secret, whose checksum is right.
func otherSecret(value string) string {
	text := []byte(value[:valueLength-checksumLength])
	last := len(text) - 1
	if text[last]++; !inAlphabet[text[last]] {
		text[last] = alphabet[0]
	}
	sum := checksum(string(text))
	return string(text) + string(sum[:])
}

// measurePAT measures the Verifier over a store that holds the tokens.
func measurePAT(b *testing.B, store pat.Store, cfg pat.Config, valid []credential) {
	b.Helper()
	verifier, err := pat.NewVerifier(store, cfg)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, verifier.Close(context.Background())) })
	_, err = verifier.Verify(b.Context(), otherSecret(valid[0].value))
	require.ErrorIs(b, err, pat.ErrWrongSecret)
	measure(b, patSubject(verifier, valid))
}

func patSubject(verifier *pat.Verifier, valid []credential) subject {
	return subject{
		verify: func(ctx context.Context, value string) (string, error) {
			tok, err := verifier.Verify(ctx, value)
			return tok.UserID, err
		},
		valid:   valid,
		refused: otherSecret(valid[0].value),
	}
}

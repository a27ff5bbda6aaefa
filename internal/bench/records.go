// Package bench is what the benchmarks of the stores have in common: the tokens that they hold, the loops that verify
// them, and the taking of turns with what they are compared with. The module in benchmarks/ does without it: it uses
// only what is exported, so that it can measure any revision.
package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/patkit/pat"
)

// Maker makes tokens as an Issuer does, for a benchmark that fills its store in a quicker way than one by one. It is
// not safe for concurrent use.
type Maker struct {
	issuer        *pat.Issuer
	made          capture
	users, groups int
}

// capture is a store that keeps the last record it was given, and holds none.
type capture struct {
	pat.Store
	rec pat.Record
}

func (c *capture) Insert(_ context.Context, rec pat.Record, _ int) error {
	c.rec = rec
	return nil
}

// NewMaker returns a Maker for so many tokens, in so many groups. About five are for each user.
func NewMaker(tokens, groups int) (*Maker, error) {
	m := &Maker{users: tokens/5 + 1, groups: groups}
	var err error
	m.issuer, err = pat.NewIssuer(&m.made, pat.Config{Scopes: pat.PublicFullScopes()})
	return m, err
}

// Make returns the record of the i-th token, which was used just now, and its value. The tokens of a group are far from
// one another in the order in which they are made, as they are in a service, and their users are random.
func (m *Maker) Make(ctx context.Context, i int) (rec pat.Record, value string, err error) {
	issued, err := m.issuer.Create(ctx, pat.CreateParams{
		UserID: fmt.Sprintf("user-%d", rand.N(m.users)), GroupID: fmt.Sprint(i % m.groups), Name: "deploy key",
	})
	if err != nil {
		return pat.Record{}, "", err
	}
	rec = m.made.rec
	rec.Token.LastUsedAt = rec.Token.CreatedAt
	return rec, issued.Value.Reveal(), nil
}

// Records returns n records, about ten to a group, and their values.
func Records(tb testing.TB, n int) (records []pat.Record, values []string) {
	tb.Helper()
	maker, err := NewMaker(n, n/10+1)
	if err != nil {
		tb.Fatal(err)
	}
	for i := range n {
		rec, value, err := maker.Make(tb.Context(), i)
		if err != nil {
			tb.Fatal(err)
		}
		records, values = append(records, rec), append(values, value)
	}
	return records, values
}

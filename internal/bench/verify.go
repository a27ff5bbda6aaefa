package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/patkit/pat"
)

// Recently returns the Config under which the tokens of [Fill] are used more often than once per interval, as in a
// service under load, so that no verification has a use to record.
func Recently() pat.Config { return pat.Config{LastUsedInterval: time.Hour} }

// Params returns what the i-th token of [Fill] is created with: ten are in a group. Its ids are as long as those of
// most services.
func Params(i int) pat.CreateParams {
	group := uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, i/10)).String()
	return pat.CreateParams{UserID: "user-" + group, GroupID: group, Name: "deploy", Scopes: []string{"read"}}
}

// Fill creates n tokens in a store, and returns their values in random order. All were used just now.
func Fill(tb testing.TB, store pat.Store, n int) (values []string) {
	tb.Helper()
	ctx := context.Background()
	issuer, err := pat.NewIssuer(store, Recently())
	if err != nil {
		tb.Fatal(err)
	}
	values = make([]string, n)
	uses := make([]pat.Use, n)
	for i := range values {
		issued, err := issuer.Create(ctx, Params(i))
		if err != nil {
			tb.Fatal(err)
		}
		values[i] = issued.Value.Reveal()
		uses[i] = pat.Use{Prefix: issued.Token.Prefix, At: time.Now().UTC()}
	}
	if err := store.Touch(ctx, uses); err != nil {
		tb.Fatal(err)
	}
	rand.Shuffle(n, func(i, j int) { values[i], values[j] = values[j], values[i] })
	return values
}

// Present verifies a value, and checks that the answer is about this one.
func Present(ctx context.Context, verifier *pat.Verifier, value string) error {
	tok, err := verifier.Verify(ctx, value)
	if err == nil && tok.Prefix != value[4:16] {
		return errAnother
	}
	return err
}

var errAnother = errors.New("another token")

// Verify measures one caller, and checks each answer.
func Verify(b *testing.B, verifier *pat.Verifier, values []string) {
	b.Helper()
	ctx := context.Background()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := Present(ctx, verifier, values[i%len(values)]); err != nil {
			b.Fatal(err)
		}
	}
}

// VerifyParallel measures a caller on each core, and checks each answer.
func VerifyParallel(b *testing.B, verifier *pat.Verifier, values []string) {
	b.Helper()
	ctx := context.Background()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		// Each goroutine begins elsewhere, so that none finds in the processor's cache what another has just read.
		for i := rand.N(len(values)); pb.Next(); i++ {
			if err := Present(ctx, verifier, values[i%len(values)]); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// VerifyTurn returns the series that verifies one value after the other, from the one at start on, and checks each
// answer.
func VerifyTurn(b *testing.B, name string, verifier *pat.Verifier, values []string, start int) Series {
	b.Helper()
	ctx := context.Background()
	return Series{name, func(from int) {
		for i := start + from; i < start+from+Turn; i++ {
			if err := Present(ctx, verifier, values[i%len(values)]); err != nil {
				b.Fatal(err)
			}
		}
	}}
}

// Command timing looks for differences in the time that refused verifications take. It is no test: it passes and fails
// nothing, because every machine has its own noise.
//
//	go run ./internal/timing -n 1000000
//
// For each store and each kind of digest it lets two classes of values take turns at random, and reports the mean of
// each and |t| of Welch's t-test. dudect, whose method this is, takes a |t| below 4.5 for "no difference found" (Reparaz,
// Balasch, Verbauwhede, "Dude, is my code constant time?", DATE 2017). |t| grows with the square root of the
// number of samples, so that a difference of a few nanoseconds shows among 10^6 of them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/patkit/pat"
	"github.com/patkit/pat/memory"
	"github.com/patkit/pat/sqlite"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "timing:", err)
		os.Exit(1)
	}
}

// run compares every pair of classes over every store and reports to out.
func run(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("timing", flag.ContinueOnError)
	n := flags.Int("n", 1_000_000, "timings for each comparison")
	tokens := flags.Int("tokens", 1000, "tokens in the store")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *n < 100 || *tokens < 1 {
		return errors.New("there have to be 100 timings and a token")
	}
	folder, err := os.MkdirTemp("", "timing")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	file, err := sqlite.Open(filepath.Join(folder, "pat.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()

	pepper := []pat.PepperKey{{ID: "k1", Key: pat.NewSecret(strings.Repeat("k", 32))}}
	for _, s := range []struct {
		name  string
		store pat.Store
		keys  []pat.PepperKey
	}{
		{"memory, SHA-256", memory.New(), nil},
		{"memory, HMAC-SHA-256", memory.New(), pepper},
		{"sqlite, SHA-256", file, nil},
	} {
		_, _ = fmt.Fprintf(out, "%s, %d tokens\n", s.name, *tokens)
		if err := compareAll(ctx, out, s.store, pat.Config{PepperKeys: s.keys}, *tokens, *n); err != nil {
			return err
		}
	}
	return nil
}

// compareAll fills a store and compares every pair of classes over it.
func compareAll(ctx context.Context, out io.Writer, store pat.Store, cfg pat.Config, tokens, n int) error {
	issued, err := issue(ctx, store, cfg, tokens)
	if err != nil {
		return err
	}
	verifier, err := pat.NewVerifier(store, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = verifier.Close(ctx) }() // no verification succeeds, so that nothing is pending
	v := values{issued}
	unknown := class{"unknown prefix", v.unknown, pat.ErrUnknown}
	wrong := func(name string, matching int) class { return class{name, v.wrong(matching), pat.ErrWrongSecret} }
	for _, classes := range [][2]class{
		{unknown, wrong("wrong secret", 0)},
		{wrong("wrong from the 1st character", 0), wrong("wrong from the 17th character", 16)},
		{wrong("wrong from the 1st character", 0), wrong("wrong in the 32nd character", 31)},
		// Anybody can compute a checksum, so that this difference tells nothing. It shows what a difference looks like.
		{{"malformed", v.mistyped, pat.ErrMalformed}, wrong("wrong secret", 0)},
	} {
		took, err := measure(ctx, verifier, classes, n)
		if err != nil {
			return err
		}
		report(out, classes, took)
	}
	return nil
}

// issue creates tokens and returns their values.
func issue(ctx context.Context, store pat.Store, cfg pat.Config, n int) ([]string, error) {
	issuer, err := pat.NewIssuer(store, cfg)
	if err != nil {
		return nil, err
	}
	issued := make([]string, n)
	for i := range issued {
		made, err := issuer.Create(ctx, pat.CreateParams{UserID: "user", GroupID: "group", Name: "timing"})
		if err != nil {
			return nil, err
		}
		issued[i] = made.Value.Reveal()
	}
	return issued, nil
}

const percentile = 90

func report(out io.Writer, classes [2]class, took [2][]float64) {
	_, _ = fmt.Fprintf(out, "  %s / %s\n", classes[0].name, classes[1].name)
	line := func(what string, c comparison) {
		_, _ = fmt.Fprintf(out, "    %-28s n = %d / %d, means %.1f / %.1f ns, |t| = %.2f\n",
			what, c.counts[0], c.counts[1], c.means[0], c.means[1], math.Abs(c.t))
	}
	line("all", welch(took[0], took[1]))
	line(fmt.Sprintf("cropped at percentile %d", percentile), welch(crop(took[0], took[1], percentile)))
}

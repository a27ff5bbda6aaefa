package cache_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/cache"
	"github.com/patkit/pat/memory"
)

// BenchmarkVerify measures Verifier.Verify through a cache that holds every token beside Verifier.Verify on the memory
// store itself.
func BenchmarkVerify(b *testing.B) {
	for _, n := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprintf("tokens=%d", n), func(b *testing.B) {
			behind, values := issueMany(b, n)
			// So that no lease ends, and that none is displaced, or next to none: as in a full table of another kind.
			store := inFrontOf(b, behind, cache.WithMaxEntries(8*n), cache.WithMaxStaleness(time.Hour))
			values = warm(b, store, values)
			direct, cached := newVerifier(b, behind, recently), newVerifier(b, store, recently)
			b.Run("memory", func(b *testing.B) { benchmarkVerify(b, direct, values) })
			b.Run("cache", func(b *testing.B) { benchmarkVerify(b, cached, values) })
			b.Run("by-turns", func(b *testing.B) { benchmarkByTurns(b, direct, cached, values) })
			b.Run("cache-parallel", func(b *testing.B) { benchmarkVerifyParallel(b, cached, values) })
		})
	}
}

// recently is the Config of the benchmark. The tokens are used more often than once per interval, as in a service under
// load, so that no verification has a use to record.
var recently = pat.Config{LastUsedInterval: time.Hour}

// issueMany fills a store with n tokens, ten to a group, and returns their values in random order.
func issueMany(tb testing.TB, n int) (*memory.Store, []string) {
	tb.Helper()
	ctx := context.Background()
	store := memory.New()
	issuer, err := pat.NewIssuer(store, recently)
	require.NoError(tb, err)
	values, uses := make([]string, n), make([]pat.Use, n)
	for i := range values {
		group := uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, i/10)).String()
		issued, err := issuer.Create(ctx, pat.CreateParams{UserID: "user-" + group, GroupID: group, Name: "deploy", Scopes: []string{"read"}})
		require.NoError(tb, err)
		values[i] = issued.Value.Reveal()
		uses[i] = pat.Use{Prefix: issued.Token.Prefix, At: time.Now().UTC()}
	}
	require.NoError(tb, store.Touch(ctx, uses))
	rand.Shuffle(n, func(i, j int) { values[i], values[j] = values[j], values[i] })
	return store, values
}

// warm has the cache read every token, and returns the values of those that it then holds.
func warm(tb testing.TB, store *cache.Store, values []string) []string {
	tb.Helper()
	ctx := context.Background()
	for _, value := range values {
		_, err := store.FindByPrefix(ctx, value[4:16])
		require.NoError(tb, err)
	}
	all := len(values)
	values = slices.DeleteFunc(slices.Clone(values), func(value string) bool {
		hits := store.Stats().Hits
		_, err := store.FindByPrefix(ctx, value[4:16])
		require.NoError(tb, err)
		return store.Stats().Hits == hits
	})
	require.Greater(tb, len(values), all*999/1000)
	return values
}

func benchmarkVerify(b *testing.B, verifier *pat.Verifier, values []string) {
	ctx := context.Background()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		value := values[i%len(values)]
		if tok, err := verifier.Verify(ctx, value); err != nil || tok.Prefix != value[4:16] {
			b.Fatal("wrong token, or error:", err)
		}
	}
}

func benchmarkVerifyParallel(b *testing.B, verifier *pat.Verifier, values []string) {
	ctx := context.Background()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		// Each goroutine begins elsewhere, so that none finds in the processor's cache what another has just read.
		for i := rand.N(len(values)); pb.Next(); i++ {
			value := values[i%len(values)]
			if tok, err := verifier.Verify(ctx, value); err != nil || tok.Prefix != value[4:16] {
				b.Error("wrong token, or error:", err)
				return
			}
		}
	})
}

// benchmarkByTurns lets the two take turns, a thousand values each, and reports the medians and the median of the ratios.
// The values of one turn are not those of the other, since the records of the cache share strings with those of the
// memory store, and who comes second would find them in the processor's cache. On a machine that others use too, two runs one after the other can differ by more than what is measured.
func benchmarkByTurns(b *testing.B, direct, cached *pat.Verifier, values []string) {
	const turn = 1000
	ctx := context.Background()
	run := func(verifier *pat.Verifier, i int) float64 {
		began := time.Now()
		for n := i; n < i+turn; n++ {
			value := values[n%len(values)]
			if tok, err := verifier.Verify(ctx, value); err != nil || tok.Prefix != value[4:16] {
				b.Fatal("wrong token, or error:", err)
			}
		}
		return float64(time.Since(began)) / turn
	}
	var memories, caches, ratios []float64
	for i := 0; b.Loop(); i += turn {
		m := run(direct, i)
		c := run(cached, i+len(values)/2)
		memories, caches, ratios = append(memories, m), append(caches, c), append(ratios, c/m)
	}
	for unit, figures := range map[string][]float64{"ns/memory": memories, "ns/cache": caches, "cache/memory": ratios} {
		slices.Sort(figures)
		b.ReportMetric(figures[len(figures)/2], unit)
	}
}

package memory_test

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/memory"
)

// BenchmarkVerify measures Verifier.Verify over the store beside its floor: the same parsing, hashing, comparing and
// reading of the clock, with a look-up in a Go map of the same records.
func BenchmarkVerify(b *testing.B) {
	for _, n := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprintf("tokens=%d", n), func(b *testing.B) {
			store, values := issue(b, n)
			b.Run("floor", func(b *testing.B) { benchmarkFloor(b, store, values) })
			b.Run("verify", func(b *testing.B) { benchmarkVerify(b, store, values) })
			b.Run("by-turns", func(b *testing.B) { benchmarkByTurns(b, store, values) })
			b.Run("verify-parallel", func(b *testing.B) { benchmarkVerifyParallel(b, store, values) })
		})
	}
}

// recently is the Config of the benchmarks. The tokens are used more often than once per interval, as in a service
// under load, so that no verification has a use to record.
var recently = pat.Config{LastUsedInterval: time.Hour}

// issue fills a store with n tokens, ten to a group, and returns their values in random order.
func issue(tb testing.TB, n int) (*memory.Store, []string) {
	tb.Helper()
	ctx := context.Background()
	store := memory.New()
	issuer, err := pat.NewIssuer(store, recently)
	require.NoError(tb, err)
	values := make([]string, n)
	uses := make([]pat.Use, n)
	for i := range values {
		issued, err := issuer.Create(ctx, params(i))
		require.NoError(tb, err)
		values[i] = issued.Value.Reveal()
		uses[i] = pat.Use{Prefix: issued.Token.Prefix, At: time.Now().UTC()}
	}
	require.NoError(tb, store.Touch(ctx, uses))
	rand.Shuffle(n, func(i, j int) { values[i], values[j] = values[j], values[i] })
	return store, values
}

func params(i int) pat.CreateParams {
	group := uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, i/10)).String()
	return pat.CreateParams{UserID: "user-" + group, GroupID: group, Name: "deploy", Scopes: []string{"read"}}
}

func benchmarkVerify(b *testing.B, store *memory.Store, values []string) {
	ctx := context.Background()
	verifier, err := pat.NewVerifier(store, recently)
	require.NoError(b, err)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		value := values[i%len(values)]
		if tok, err := verifier.Verify(ctx, value); err != nil || tok.Prefix != value[4:16] {
			b.Fatal("wrong token, or error:", err)
		}
	}
}

func benchmarkVerifyParallel(b *testing.B, store *memory.Store, values []string) {
	ctx := context.Background()
	verifier, err := pat.NewVerifier(store, recently)
	require.NoError(b, err)
	b.ReportAllocs()
	var started atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		// Each goroutine begins elsewhere, so that none finds in the cache what another has just read.
		for i := int(started.Add(1)) * len(values) / 7; pb.Next(); i++ {
			value := values[i%len(values)]
			if tok, err := verifier.Verify(ctx, value); err != nil || tok.Prefix != value[4:16] {
				b.Error("wrong token, or error:", err)
				return
			}
		}
	})
}

// held is what the floor's map has for a token: the digest as a store gets it, and the metadata.
type held struct {
	token  pat.Token
	digest string
}

// mapOf returns a Go map with the records of the store.
func mapOf(b *testing.B, store *memory.Store, values []string) map[string]*held {
	b.Helper()
	records := make(map[string]*held, len(values))
	for _, value := range values {
		rec, err := store.FindByPrefix(context.Background(), value[4:16])
		require.NoError(b, err)
		records[strings.Clone(rec.Token.Prefix)] = &held{rec.Token, strings.Clone(rec.Digest.Encoded()[len("sha256$$"):])}
	}
	return records
}

// benchmarkByTurns lets the floor and Verify take turns, a thousand values each, and reports the medians and the
// median of the ratios. On a machine that others use too, two runs one after the other can differ by more than what
// is measured.
func benchmarkByTurns(b *testing.B, store *memory.Store, values []string) {
	const turn = 1000
	ctx := context.Background()
	records := mapOf(b, store, values)
	verifier, err := pat.NewVerifier(store, recently)
	require.NoError(b, err)
	var floors, verifies, ratios []float64
	for i := 0; b.Loop(); i += turn {
		began := time.Now()
		for n := i; n < i+turn; n++ {
			value := values[n%len(values)]
			if tok, ok := floor(records, value); !ok || tok.Prefix != value[4:16] {
				b.Fatal("wrong token")
			}
		}
		between := time.Now()
		for n := i; n < i+turn; n++ {
			value := values[n%len(values)]
			if tok, err := verifier.Verify(ctx, value); err != nil || tok.Prefix != value[4:16] {
				b.Fatal("wrong token, or error:", err)
			}
		}
		took := between.Sub(began)
		floors = append(floors, float64(took)/turn)
		verifies = append(verifies, float64(time.Since(between))/turn)
		ratios = append(ratios, float64(time.Since(between))/float64(took))
	}
	for unit, figures := range map[string][]float64{"ns/floor": floors, "ns/verify": verifies, "verify/floor": ratios} {
		slices.Sort(figures)
		b.ReportMetric(figures[len(figures)/2], unit)
	}
}

func benchmarkFloor(b *testing.B, store *memory.Store, values []string) {
	records := mapOf(b, store, values)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		value := values[i%len(values)]
		if tok, ok := floor(records, value); !ok || tok.Prefix != value[4:16] {
			b.Fatal("wrong token")
		}
	}
}

// floor is the least that verifying a token takes.
func floor(records map[string]*held, value string) (*pat.Token, bool) {
	now := time.Now()
	if !wellFormed(value) {
		return nil, false
	}
	rec := records[value[4:16]]
	if rec == nil {
		return nil, false
	}
	var buffer [55]byte
	copy(buffer[:], value)
	sum := sha256.Sum256(buffer[:])
	copy(buffer[:], rec.digest)
	if subtle.ConstantTimeCompare(buffer[:32], sum[:]) != 1 || rec.token.Revoked() || rec.token.Expired(now) {
		return nil, false
	}
	return &rec.token, true
}

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

var inAlphabet = func() (set [256]bool) {
	for i := range len(alphabet) {
		set[alphabet[i]] = true
	}
	return set
}()

// wellFormed is the parsing of package pat, which doesn't export it.
func wellFormed(value string) bool {
	if len(value) != 55 || value[:4] != "pat_" || value[16] != '-' {
		return false
	}
	for i := 4; i < 55; i++ {
		if !inAlphabet[value[i]] && i != 16 {
			return false
		}
	}
	// As in package pat: crc32 lets its argument escape, so that a copy would be allocated.
	sum := crc32.ChecksumIEEE(unsafe.Slice(unsafe.StringData(value), 49))
	var digits [6]byte
	for i := 5; i >= 0; i-- {
		digits[i] = alphabet[sum%62]
		sum /= 62
	}
	return string(digits[:]) == value[49:]
}

// BenchmarkHeap reports the heap that a token takes, with keys, indexes and owners (ten tokens to a group).
func BenchmarkHeap(b *testing.B) {
	const n = 1_000_000
	for b.Loop() {
		before := heap()
		store := memory.New()
		issuer, err := pat.NewIssuer(store, pat.Config{})
		require.NoError(b, err)
		for i := range n {
			if _, err := issuer.Create(context.Background(), params(i)); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(heap()-before)/n, "B/token")
		runtime.KeepAlive(store)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

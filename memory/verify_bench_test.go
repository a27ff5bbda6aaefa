package memory_test

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/bench"
	"github.com/patkit/pat/memory"
)

// BenchmarkVerify measures Verifier.Verify over the store beside its floor: the same parsing, hashing, comparing and
// reading of the clock, with a look-up in a Go map of the same records.
func BenchmarkVerify(b *testing.B) {
	for _, n := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprintf("tokens=%d", n), func(b *testing.B) {
			store := memory.New()
			values := bench.Fill(b, store, n)
			verifier, err := pat.NewVerifier(store, bench.Recently())
			require.NoError(b, err)
			records := mapOf(b, store, values)
			b.Run("floor", func(b *testing.B) { benchmarkFloor(b, records, values) })
			b.Run("verify", func(b *testing.B) { bench.Verify(b, verifier, values) })
			b.Run("by-turns", func(b *testing.B) {
				bench.ByTurns(b, bench.VerifyTurn(b, "verify", verifier, values, 0), floorTurn(b, records, values))
			})
			b.Run("verify-parallel", func(b *testing.B) { bench.VerifyParallel(b, verifier, values) })
		})
	}
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

// floorTurn returns the series in which the floor verifies one value after the other.
func floorTurn(b *testing.B, records map[string]*held, values []string) bench.Series {
	return bench.Series{Name: "floor", Run: func(from int) {
		for i := from; i < from+bench.Turn; i++ {
			value := values[i%len(values)]
			if tok, ok := floor(records, value); !ok || tok.Prefix != value[4:16] {
				b.Fatal("wrong token")
			}
		}
	}}
}

func benchmarkFloor(b *testing.B, records map[string]*held, values []string) {
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

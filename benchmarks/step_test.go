package benchmarks

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"strconv"
	"testing"
	"time"

	"github.com/patkit/pat"
)

// BenchmarkStep measures the steps of a verification by themselves. Those inside the library that are not exported are
// measured as the floor has them.
func BenchmarkStep(b *testing.B) {
	_, valid := issue(b, 1000)
	shuffle(valid)
	b.Run("step=parse_and_checksum", func(b *testing.B) {
		loop(b, func(i int) error { return refusedUnless(wellFormed(valid[i%len(valid)].value)) })
	})
	b.Run("step=SHA-256_of_55_bytes", func(b *testing.B) {
		var text [valueLength]byte
		loop(b, func(i int) error {
			copy(text[:], valid[i%len(valid)].value)
			sum := sha256.Sum256(text[:])
			return refusedUnless(sum != [sha256.Size]byte{})
		})
	})
	b.Run("step=HMAC-SHA-256_of_55_bytes", func(b *testing.B) {
		sum, text := make([]byte, 0, sha256.Size), make([]byte, valueLength)
		mac := hmac.New(sha256.New, make([]byte, 32))
		loop(b, func(i int) error {
			copy(text, valid[i%len(valid)].value)
			mac.Reset() // to the state that the library keeps too
			_, _ = mac.Write(text)
			sum = mac.Sum(sum[:0])
			return refusedUnless(len(sum) == sha256.Size)
		})
	})
	b.Run("step=compare_32_bytes", func(b *testing.B) {
		x, y := make([]byte, 32), make([]byte, 32)
		loop(b, func(int) error { return refusedUnless(subtle.ConstantTimeCompare(x, y) == 1) })
	})
	b.Run("step=read_the_clock", func(b *testing.B) {
		loop(b, func(int) error { return refusedUnless(!time.Now().IsZero()) })
	})
	for _, n := range sizes(b, anySize) {
		b.Run("store=memory/tokens="+strconv.Itoa(n), func(b *testing.B) {
			store, valid := inMemory(b, n)
			lookUp(b, "step=look-up_in_memory", store, valid)
		})
		b.Run("store=sqlite/tokens="+strconv.Itoa(n), func(b *testing.B) {
			store, valid := inSQLite(b, n)
			lookUp(b, "step=look-up_in_SQLite", store, valid)
		})
	}
}

// lookUp measures a store that was filled outside the measurement, which is repeated, with -count and to find b.N.
func lookUp(b *testing.B, step string, store pat.Store, valid []credential) {
	b.Helper()
	shuffle(valid)
	b.Run(step, func(b *testing.B) {
		ctx := b.Context() // can be cancelled
		loop(b, func(i int) error {
			c := &valid[i%len(valid)]
			rec, err := store.FindByPrefix(ctx, c.value[4:16])
			if err != nil {
				return err
			}
			return refusedUnless(rec.Token.UserID == c.owner)
		})
	})
}

func refusedUnless(ok bool) error {
	if ok {
		return nil
	}
	return errRefused
}

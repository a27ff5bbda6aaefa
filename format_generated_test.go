package pat

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/internal/testscale"
)

// This is no coverage-guided fuzzing but plain generation: values made from a fixed seed and damaged in the ways below,
// at many times the speed. What the parser accepts is compared with the specification.
func TestTheParserAgreesWithTheSpecificationOnGeneratedValues(t *testing.T) {
	const perRound = 100_000
	rounds := testscale.Rounds(t, 5, 10_000)
	form, specification := wholeValue(), newSpecification()
	var next, accepted, refused atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for round := next.Add(1); round <= int64(rounds) && !t.Failed(); round = next.Add(1) {
				// A seed that stays the same, so that a failure comes again.
				g := valueGenerator{random: rand.New(rand.NewPCG(uint64(round), 0))}
				n := int64(0)
				for i := range perRound {
					value := g.next()
					specified := specification.accepts(value)
					if i%1024 == 0 && specified != (form.MatchString(value) && base62(value[:49]) == value[49:]) {
						t.Errorf("the two forms of the specification differ about %q", value)
						return
					}
					if prefix, ok := parsePrefix(value); ok != specified || ok && prefix != value[4:16] {
						t.Errorf("round %d: accepted %v, by the specification %v: %q", round, ok, specified, value)
						return
					}
					if specified {
						n++
					}
				}
				accepted.Add(n)
				refused.Add(perRound - n)
			}
		})
	}
	workers.Wait()
	require.EqualValues(t, rounds*perRound, accepted.Load()+refused.Load())
	assert.Greater(t, accepted.Load(), int64(rounds*perRound/5), "enough values are well-formed")
	assert.Greater(t, refused.Load(), int64(rounds*perRound/5), "enough values are not")
	t.Logf("%d generated values, %d well-formed and %d not: no disagreement", rounds*perRound, accepted.Load(), refused.Load())
}

// valueGenerator makes values that are well-formed or miss it by little.
type valueGenerator struct {
	random *rand.Rand
	buffer []byte
}

// next returns a value that lasts until the next one is made: an allocation for each would take most of the time.
func (g *valueGenerator) next() string {
	b := g.buffer[:0]
	b = append(b, "pat_"...)
	for len(b) < 49 {
		// Ten characters of six bits each from one number. The two codes beyond the alphabet become its first two.
		for bits, n := g.random.Uint64(), 0; n < 10 && len(b) < 49; bits, n = bits>>6, n+1 {
			if len(b) == 16 {
				b = append(b, '-')
			}
			b = append(b, alphabet[bits&63%62])
		}
	}
	b = sealed(b)
	choice := g.random.Uint32()
	switch choice >> 4 % 8 {
	case 0: // as it is
	case 1, 2: // characters of the alphabet edited, mostly with a checksum of their own
		for range 1 + choice%3 {
			b[g.random.IntN(len(b))] = alphabet[g.random.IntN(62)]
		}
		if choice&8 != 0 {
			b = sealed(b)
		}
	case 3: // any bytes at any places, with a checksum of their own
		b[g.random.IntN(49)] = byte(g.random.Uint32())
		b = sealed(b)
	case 4: // another checksum
		b = appendBase62(b[:49], g.random.Uint32())
	case 5: // two characters swapped
		i, j := g.random.IntN(len(b)), g.random.IntN(len(b))
		b[i], b[j] = b[j], b[i]
	case 6: // a character left out or put in, which moves what follows
		i := g.random.IntN(len(b))
		if choice&1 == 0 {
			b = append(b[:i], b[i+1:]...)
		} else {
			b = append(b[:i+1], b[i:]...)
		}
	case 7: // cut short or extended
		b = append(b, "0-\x00 _A"[:choice%7]...)
		b = b[:len(b)-g.random.IntN(min(len(b), 1+int(choice>>8%16)))]
	}
	g.buffer = b
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// sealed gives a value the checksum of its first 49 characters.
func sealed(b []byte) []byte {
	return appendBase62(b[:49], checksum(unsafe.String(unsafe.SliceData(b), 49)))
}

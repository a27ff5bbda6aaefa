package benchmarks

import (
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var tokens = flag.String("tokens", "1000,10000,100000", "how many tokens the stores hold, separated by commas")

// someTokens is for the peers whose cost does not depend on how many there are.
const someTokens = 100

// sizes returns what -tokens says, without those above most.
func sizes(b *testing.B, most int) (numbers []int) {
	b.Helper()
	for text := range strings.SplitSeq(*tokens, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 2 {
			b.Fatal("-tokens takes numbers from 2 up, separated by commas")
		}
		if n <= most {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// largest is for the peers that are measured at one size alone: the largest that -tokens has, and no more than 100,000.
func largest(b *testing.B) int {
	b.Helper()
	return min(slices.Max(sizes(b, anySize)), 100_000)
}

// anySize is for the peers that are measured at every size.
const anySize = 1 << 30

// name is that of a measurement, in the form in which benchstat and the charts take it apart.
func name(peer, store string, n int) string {
	return fmt.Sprintf("peer=%s/store=%s/tokens=%d", peer, store, n)
}

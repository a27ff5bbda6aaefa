package main

import (
	"context"
	"errors"
	"time"

	"github.com/patkit/pat"
)

// class is one of two kinds of values whose timings are compared.
type class struct {
	name   string
	next   func() string
	reason error // what refuses it
}

// batch is how many values are made at a time, so that none is timed right behind the work of making it.
const batch = 1000

var errUnexpected = errors.New("a value was not refused for the reason that its class has")

// measure verifies n values and returns the nanoseconds that each took. The class of each is drawn at random, so that
// what drifts, such as the clock of the processor and the load of the machine, meets both classes alike.
func measure(ctx context.Context, verifier *pat.Verifier, classes [2]class, n int) ([2][]float64, error) {
	var took [2][]float64
	drawn, presented := make([]int, batch), make([]string, batch)
	for done := 0; done < n; done += batch {
		for i := range batch {
			drawn[i] = draw(2)
			presented[i] = classes[drawn[i]].next()
		}
		for i := range min(batch, n-done) {
			start := time.Now()
			_, err := verifier.Verify(ctx, presented[i])
			elapsed := time.Since(start)
			if !errors.Is(err, classes[drawn[i]].reason) {
				return took, errUnexpected
			}
			took[drawn[i]] = append(took[drawn[i]], float64(elapsed))
		}
	}
	return took, nil
}

//go:build !race

package httpadapter_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Under the race detector a sync.Pool forgets at random, so that this is not tested there.

func TestARequestCostsAFewAllocationsMoreThanABareOne(t *testing.T) {
	for name, c := range map[string]struct {
		route func(testing.TB) measured
		more  float64
	}{
		"the verify route": {verifyRoute, 0}, // less, in fact: its decoder is kept for reuse
		"RequireToken":     {guardedRoute, 2},
	} {
		t.Run(name, func(t *testing.T) {
			m := c.route(t)
			bare, ours := testing.AllocsPerRun(1000, m.direct(t, m.bare)), testing.AllocsPerRun(1000, m.direct(t, m.ours))
			t.Logf("%v allocations, and a bare handler %v", ours, bare)
			assert.LessOrEqual(t, ours, bare+c.more)
		})
	}
}

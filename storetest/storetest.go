// Package storetest tells whether a [pat.Store] keeps the rules that [pat.Store] states. The test of a store is a
// constructor and one call:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) pat.Store { return mystore.New() })
//	}
//
// Each case tests one rule, and prints it where it is broken. [Benchmark] measures all stores on the same work.
// [Faulty] is a store that fails when it is told to, for the tests of what stands on a store.
package storetest

import (
	"slices"
	"testing"

	"github.com/patkit/pat"
)

// Run runs every case against a store of its own, which open returns empty. What has to be closed or deleted
// afterwards, open registers with t.Cleanup. Run it with the race detector too.
func Run(t *testing.T, open func(t *testing.T) pat.Store) {
	for _, c := range allCases() {
		t.Run(c.name, func(t *testing.T) { c.check(t, open(t)) })
	}
}

// testCase is one rule and how to find out whether a store keeps it.
type testCase struct {
	name string
	// rule is printed with a failure. It is all that the author of a store may have read.
	rule string
	run  func(h *harness)
}

func (c testCase) check(r reporter, store pat.Store) {
	c.run(&harness{reporter: r, rule: c.rule, store: store})
}

func allCases() []testCase {
	return slices.Concat(insertCases, limitCases, findCases, listCases, pagingCases, rotateCases, rotateRefusedCases, revokeCases,
		revokeAllCases, touchCases, digestCases, purgeCases, contextCases(), aliasingCases, concurrencyCases)
}

// reporter is what the cases need of a [testing.T]. The suite's own test passes something else, to see a case fail.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
	FailNow()
}

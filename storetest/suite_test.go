package storetest

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/patkit/pat"
	"github.com/patkit/pat/memory"
)

func TestTheSuitePassesAStoreThatKeepsTheRules(t *testing.T) {
	for _, c := range allCases() {
		if failures := outcome(c, memory.New()); len(failures) > 0 {
			t.Errorf("%s: %s", c.name, failures[0])
		}
	}
}

func TestTheSuiteCatchesEachBreakage(t *testing.T) {
	cases := make(map[string]testCase)
	for _, c := range allCases() {
		cases[c.name] = c
	}
	for _, b := range allBreakages() {
		t.Run(b.name, func(t *testing.T) {
			c, ok := cases[b.caught]
			if !ok {
				t.Fatalf("there is no case %q", b.caught)
			}
			failures := outcome(c, b.open())
			if len(failures) == 0 {
				t.Fatalf("the case %q passed", c.name)
			}
			if !strings.HasSuffix(failures[0], "The rule: "+c.rule) {
				t.Errorf("the failure does not tell the rule: %s", failures[0])
			}
		})
	}
}

func TestEveryCaseCatchesSomething(t *testing.T) {
	caught := make(map[string]bool)
	for _, b := range allBreakages() {
		caught[b.caught] = true
	}
	for _, c := range allCases() {
		if !caught[c.name] {
			t.Errorf("no broken store shows that the case %q can fail", c.name)
		}
	}
}

func TestCasesHaveNamesOfTheirOwnAndARule(t *testing.T) {
	seen := make(map[string]bool)
	for _, c := range allCases() {
		if seen[c.name] {
			t.Errorf("two cases are named %q", c.name)
		}
		seen[c.name] = true
		if !strings.HasSuffix(c.rule, ".") {
			t.Errorf("the rule of %q is no sentence", c.name)
		}
	}
}

// breakage is a store that breaks one rule.
type breakage struct {
	name   string
	caught string // the name of the case that has to fail
	open   func() pat.Store
}

func allBreakages() []breakage {
	return slices.Concat(brokenInserts, brokenReads, brokenRotations, brokenRevocations,
		brokenUpdates, brokenPurges, brokenContexts())
}

// outcome runs a case and returns its failures. A panic is one: it is what a broken store leads to at times.
func outcome(c testCase, store pat.Store) []string {
	r := &recorder{}
	var done sync.WaitGroup
	done.Go(func() {
		defer func() {
			if p := recover(); p != nil {
				r.Errorf("panic: %v", p)
			}
		}()
		c.check(r, store)
	})
	done.Wait()
	return r.failures
}

// recorder takes the place of a testing.T whose failure is expected.
type recorder struct{ failures []string }

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) FailNow() { runtime.Goexit() }

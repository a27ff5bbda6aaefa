// Command mutation breaks the code of a package in many small ways, one at a time, and says which of them the tests of
// that package don't notice.
//
//	go run ./internal/mutation -gremlins FILE ./sqlite
//
// The breaks are those that gremlins lists in FILE (gremlins unleash --dry-run -o FILE), the covered and the uncovered
// ones, and two kinds more that gremlins does not have: a check that is dropped and a statement that is removed. They
// are run here and not by gremlins 0.6, which counts a mutant that does not compile as killed, and which leaves out what
// the coverage profile has no block for: constants, and the conditions of a switch.
//
// Most breaks are compiled together, each behind a guard that asks at run time whether it is its turn; the others one by
// one. All are compiled through an overlay, so the tree is never touched. A break is killed if a test fails or if the tests
// take three times as long as they should, and it is no mutant if it does not compile. The exit status is 1 if one lived
// that equivalent.txt has no reason for.
package main

import (
	"cmp"
	_ "embed"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"sync"
	"syscall"
)

//go:embed equivalent.txt
var equivalentText string

func main() {
	log.SetFlags(0)
	gremlins := flag.String("gremlins", "", "the `file` in which gremlins lists its mutants")
	files := flag.String("files", "", "break only files whose name matches this `regexp`")
	first := flag.String("first", "", "run the tests whose names match this `regexp` before the others: those that are quick and see much")
	last := flag.String("last", "", "run the tests whose names match this `regexp` behind the others: those that are slow")
	skip := flag.String("skip", "", "leave out the tests whose names match this `regexp`: those that build the package for themselves, unbroken")
	workers := flag.Int("workers", runtime.NumCPU(), "how many are tested at a time")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: mutation [flags] PACKAGE-FOLDER")
	}
	wanted, err := regexp.Compile(*files)
	check(err)
	known, err := parseEquivalents(equivalentText)
	check(err)
	mutants, err := list(flag.Arg(0), *gremlins)
	check(err)
	mutants = slices.DeleteFunc(mutants, func(m mutant) bool { return !wanted.MatchString(m.file) })

	lab, err := newLab(flag.Arg(0), mutants, order{*first, *last, *skip})
	check(err)
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-stopped
		lab.close()
		os.Exit(1)
	}()
	unexplained := report(runAll(lab, mutants, *workers), known)
	lab.close()
	if unexplained > 0 {
		os.Exit(1)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal("mutation: ", err)
	}
}

// runAll tests the mutants, and returns them in order of file and place.
func runAll(lab *lab, mutants []mutant, workers int) []outcome {
	jobs := make(chan mutant)
	outcomes := make(chan outcome)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for m := range jobs {
				outcomes <- outcome{m, lab.test(m)}
			}
		})
	}
	go func() {
		for _, m := range mutants {
			jobs <- m
		}
		close(jobs)
		wg.Wait()
		close(outcomes)
	}()
	var all []outcome
	for o := range outcomes {
		all = append(all, o)
		fmt.Printf("%4d/%d %s\n", len(all), len(mutants), o)
	}
	slices.SortFunc(all, func(a, b outcome) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.from, b.from), cmp.Compare(a.kind, b.kind))
	})
	return all
}

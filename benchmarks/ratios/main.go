// Command ratios compares two series of benchmark runs that took turns: of each benchmark it prints the medians and the
// ratios new/old of the rounds, of the time on a processor. scripts/compare calls it, with a folder that has old-1.txt,
// new-1.txt, old-2.txt and so on in it.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"golang.org/x/perf/benchfmt"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: ratios FOLDER")
		os.Exit(2)
	}
	if err := compare(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "ratios:", err)
		os.Exit(1)
	}
}

// run is what one round gave: figures by benchmark and unit.
type run map[string]map[string]float64

func compare(folder string) error {
	var names []string
	var olds, news []run
	for {
		suffix := "-" + strconv.Itoa(len(olds)+1) + ".txt"
		before, err := read(filepath.Join(folder, "old"+suffix), nil)
		if errors.Is(err, fs.ErrNotExist) {
			break
		} else if err != nil {
			return err
		}
		after, err := read(filepath.Join(folder, "new"+suffix), &names)
		if err != nil {
			return err
		}
		olds, news = append(olds, before), append(news, after)
	}
	if len(names) == 0 {
		return fmt.Errorf("no benchmark ran in %d rounds", len(olds))
	}

	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	lines := []string{"benchmark\told ns\tnew ns\tnew/old\tquartiles\tlowest to highest\tallocations"}
	for _, name := range names {
		lines = append(lines, line(name, olds, news))
	}
	if _, err := fmt.Fprintln(w, strings.Join(lines, "\n")); err != nil {
		return err
	}
	return w.Flush()
}

// line is the line of one benchmark.
func line(name string, olds, news []run) string {
	const unit = "cpu-ns/op"
	ratios := make([]float64, len(olds))
	for i := range olds {
		ratios[i] = news[i][name][unit] / olds[i][name][unit]
	}
	slices.Sort(ratios)
	return fmt.Sprintf("%s\t%.0f\t%.0f\t%.3f\t%.3f to %.3f\t%.3f to %.3f\t%.0f to %.0f", name,
		quantile(figures(olds, name, unit), 0.5), quantile(figures(news, name, unit), 0.5),
		quantile(ratios, 0.5), quantile(ratios, 0.25), quantile(ratios, 0.75), ratios[0], ratios[len(ratios)-1],
		quantile(figures(olds, name, "allocs/op"), 0.5), quantile(figures(news, name, "allocs/op"), 0.5))
}

// read reads one output. It adds the names that are new to it to names, in the order of the output.
func read(path string, names *[]string) (run, error) {
	found := make(run)
	reader := benchfmt.Files{Paths: []string{path}}
	for reader.Scan() {
		result, ok := reader.Result().(*benchfmt.Result)
		if !ok {
			continue
		}
		name := string(result.Name)
		found[name] = make(map[string]float64)
		for _, v := range result.Values {
			found[name][v.Unit] = v.Value
			if v.OrigUnit != "" { // what benchfmt has turned into seconds
				found[name][v.OrigUnit] = v.OrigValue
			}
		}
		if names != nil && !slices.Contains(*names, name) {
			*names = append(*names, name)
		}
	}
	return found, reader.Err()
}

// figures returns those of all rounds, sorted.
func figures(rounds []run, name, unit string) (all []float64) {
	for _, round := range rounds {
		all = append(all, round[name][unit])
	}
	slices.Sort(all)
	return all
}

// quantile returns the value below which the share q of the sorted values lies.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(at)
	if low+1 == len(sorted) {
		return sorted[low]
	}
	share := at - float64(low)
	return sorted[low]*(1-share) + sorted[low+1]*share
}

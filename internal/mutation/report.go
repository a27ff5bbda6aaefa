package main

import (
	"fmt"
	"path/filepath"
	"strings"
)

// A place is one break by the text of its line, which stays when lines above come and go.
type place struct{ path, before, after string }

// parseEquivalents reads paragraphs of the path, the line as it is, the line as it is broken, and the reason why no test
// can tell them apart.
func parseEquivalents(text string) (map[place]string, error) {
	known := make(map[place]string)
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		lines := strings.SplitN(paragraph, "\n", 4)
		if strings.HasPrefix(lines[0], "#") {
			continue
		}
		if len(lines) != 4 || !strings.HasPrefix(lines[1], "- ") || !strings.HasPrefix(lines[2], "+") {
			return nil, fmt.Errorf("equivalent.txt: not a path, two lines and a reason:\n%s", paragraph)
		}
		at := place{lines[0], strings.TrimSpace(lines[1][1:]), strings.TrimSpace(lines[2][1:])}
		known[at] = lines[3]
	}
	return known, nil
}

// report prints the survivors and a table by file, and returns how many survivors have no reason. What could not be
// tested counts as a survivor.
func report(outcomes []outcome, known map[place]string) (unexplained int) {
	type row struct{ killed, timedOut, equivalent, lived int }
	var files []string
	rows := make(map[string]*row)
	var total row
	fmt.Println("\nSurvivors without a reason:")
	for _, o := range outcomes {
		r := rows[o.file]
		if r == nil {
			r = new(row)
			rows[o.file] = r
			files = append(files, o.file)
		}
		_, explained := known[place{filepath.ToSlash(filepath.Join(o.folder, o.file)), o.before(), o.after()}]
		switch {
		case o.verdict == killed:
			r.killed, total.killed = r.killed+1, total.killed+1
		case o.verdict == timedOut:
			r.timedOut, total.timedOut = r.timedOut+1, total.timedOut+1
		case o.verdict == lived && explained:
			r.equivalent, total.equivalent = r.equivalent+1, total.equivalent+1
		case o.verdict == lived || o.verdict == broken:
			r.lived, total.lived = r.lived+1, total.lived+1
			fmt.Println(o)
		}
	}
	fmt.Println("\n| file | killed | timed out | equivalent | lived | score |\n|---|---|---|---|---|---|")
	line := func(name string, r row) {
		caught := r.killed + r.timedOut
		if all := caught + r.lived; all > 0 {
			fmt.Printf("| %s | %d | %d | %d | %d | %.1f %% |\n", name, r.killed, r.timedOut, r.equivalent, r.lived, 100*float64(caught)/float64(all))
		}
	}
	for _, f := range files {
		line(f, *rows[f])
	}
	line("all", total)
	return total.lived
}

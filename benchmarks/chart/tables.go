package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// verifyTable says what a verification costs each subject, with its spread, on two cores, and in memory.
func verifyTable(r results) string {
	one, all := r.pick("Verify", "one"), r.pick("Verify", "each-core")
	var t table
	t.row("what", "tokens", "one caller", "lowest to highest", "of it on a processor", "a caller on each core", "allocations", "bytes")
	t.row("---", "--:", "--:", "--:", "--:", "--:", "--:", "--:")
	for _, s := range subjects {
		m, parallel := one.by(s.peer, s.store).representative(), all.by(s.peer, s.store).representative()
		if m == nil || parallel == nil {
			continue
		}
		median, lowest, highest := m.of("ns/op")
		tokens := "-"
		if s.kind != selfContained {
			tokens = thousands(fmt.Sprint(m.tokens))
		}
		t.row(s.label, tokens, duration(median), duration(lowest)+" to "+duration(highest),
			duration(m.median("cpu-ns/op")), duration(parallel.median("ns/op")),
			thousands(fmt.Sprintf("%.0f", m.median("allocs/op"))), thousands(fmt.Sprintf("%.0f", m.median("B/op"))))
	}
	return t.String()
}

// tokensTable says what a verification costs with more and more tokens.
func tokensTable(r results) string {
	one := r.pick("Verify", "one")
	var sizes []int
	for _, s := range subjects {
		for _, m := range one.by(s.peer, s.store) {
			if s.grows && !slices.Contains(sizes, m.tokens) {
				sizes = append(sizes, m.tokens)
			}
		}
	}
	slices.Sort(sizes)
	header, rule := []string{"what"}, []string{"---"}
	for _, n := range sizes {
		header, rule = append(header, thousands(fmt.Sprint(n))), append(rule, "--:")
	}
	var t table
	t.row(header...)
	t.row(rule...)
	for _, s := range subjects {
		if measured := one.by(s.peer, s.store); s.grows && measured != nil {
			cells := []string{s.label}
			for _, n := range sizes {
				cells = append(cells, cell(measured, func(m *measurement) bool { return m.tokens == n }, func(m *measurement) string {
					return duration(m.median("ns/op"))
				}))
			}
			t.row(cells...)
		}
	}
	return t.String()
}

// createsTable says how many creates per second so many callers have.
func createsTable(r results) string {
	created := r.pick("Create", "")
	var callers []string
	for _, m := range created {
		if !slices.Contains(callers, m.callers) {
			callers = append(callers, m.callers)
		}
	}
	var t table
	t.row(append([]string{"callers at once"}, callers...)...)
	t.row(append([]string{"---"}, slices.Repeat([]string{"--:"}, len(callers))...)...)
	for _, s := range creators {
		if measured := created.by(s.peer, s.store); measured != nil {
			cells := []string{s.label}
			for _, n := range callers {
				cells = append(cells, cell(measured, func(m *measurement) bool { return m.callers == n }, func(m *measurement) string {
					return thousands(fmt.Sprintf("%.0f", m.median("creates/s")))
				}))
			}
			t.row(cells...)
		}
	}
	return t.String()
}

// httpTable says what the handlers cost beside bare ones.
func httpTable(r results) string {
	served := r.pick("HTTP", "")
	var t table
	t.row("handler, without a network", "bare", "pat", "pat, on a processor", "allocations of bare", "of pat")
	t.row("---", "--:", "--:", "--:", "--:", "--:")
	for _, route := range []struct{ name, label string }{
		{"verify", "`POST …/pats/verify`"}, {"guarded", "`RequireToken` before a handler"},
	} {
		bare, pat := served.by("floor", route.name).representative(), served.by("pat", route.name).representative()
		if bare == nil || pat == nil {
			continue
		}
		t.row(route.label, duration(bare.median("ns/op")), duration(pat.median("ns/op")), duration(pat.median("cpu-ns/op")),
			fmt.Sprintf("%.0f", bare.median("allocs/op")), fmt.Sprintf("%.0f", pat.median("allocs/op")))
	}
	return t.String()
}

// stepsTable says what the steps of a verification cost by themselves.
func stepsTable(r results) string {
	var t table
	t.row("step", "tokens", "time", "of it on a processor", "allocations")
	t.row("---", "--:", "--:", "--:", "--:")
	for _, m := range r.pick("Step", "") {
		tokens := ""
		if m.tokens > 0 {
			tokens = thousands(fmt.Sprint(m.tokens))
		}
		t.row(strings.ReplaceAll(m.peer, "_", " "), tokens, duration(m.median("ns/op")), duration(m.median("cpu-ns/op")),
			fmt.Sprintf("%.0f", m.median("allocs/op")))
	}
	return t.String()
}

// cell is empty where nothing was measured.
func cell(from results, which func(*measurement) bool, text func(*measurement) string) string {
	if i := slices.IndexFunc(from, which); i >= 0 {
		return text(from[i])
	}
	return ""
}

// table is one in Markdown.
type table struct{ strings.Builder }

func (t *table) row(cells ...string) {
	_, _ = t.WriteString("| " + strings.Join(cells, " | ") + " |\n") // never fails, as its documentation says
}

// rewrite puts each table into the document, in the place of the one that stands between its marks.
func rewrite(path string, tables map[string]string) error {
	content, err := os.ReadFile(path) //nolint:gosec // the document is named on the command line
	if err != nil {
		return err
	}
	text := string(content)
	for name, table := range tables {
		before, rest, found := strings.Cut(text, "<!-- table "+name+" -->\n")
		_, after, ended := strings.Cut(rest, "<!-- end -->\n")
		if !found || !ended {
			return fmt.Errorf("%s has no place for the table %s", path, name)
		}
		text = before + "<!-- table " + name + " -->\n" + table + "<!-- end -->\n" + after
	}
	return os.WriteFile(path, []byte(text), 0o600) //nolint:gosec // as above
}

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const sample = `package sample

const size = 2 + 3

func f(a, b int) int {
	total := size
	if a == b {
		total += a
	}
	switch {
	case a < 0:
		panic("negative")
	}
	return total
}
`

const sampleListed = `{"files": [{"file_name": "sample.go", "mutations": [
	{"type": "ARITHMETIC_BASE", "status": "NOT COVERED", "line": 3, "column": 16},
	{"type": "CONDITIONALS_NEGATION", "status": "RUNNABLE", "line": 7, "column": 7},
	{"type": "REMOVE_SELF_ASSIGNMENTS", "status": "RUNNABLE", "line": 8, "column": 9}
]}]}`

func write(t *testing.T, folder, name, text string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestTheListHasTheMutantsOfBothKinds(t *testing.T) {
	folder := t.TempDir()
	write(t, folder, "sample.go", sample)
	write(t, folder, "sample_test.go", sample)
	mutants, err := list(folder, write(t, t.TempDir(), "listed.json", sampleListed))
	require.NoError(t, err)

	var got []string
	for _, m := range mutants {
		assert.NotEqual(t, sample, string(m.mutated()))
		got = append(got, strings.Join([]string{m.kind, m.before(), m.after()}, " | "))
	}
	slices.Sort(got)
	assert.Equal(t, []string{
		"ARITHMETIC_BASE | const size = 2 + 3 | const size = 2 - 3",
		"CHECK_DROPPED | case a < 0: | case false && (a < 0):",
		"CHECK_DROPPED | if a == b { | if false && (a == b) {",
		"CONDITIONALS_NEGATION | if a == b { | if a != b {",
		"REMOVE_SELF_ASSIGNMENTS | total += a | total = a",
		`STATEMENT_REMOVED | panic("negative") | `,
		"STATEMENT_REMOVED | total += a | ",
	}, got)
}

func TestAMutantThatIsNotInTheFileIsAnError(t *testing.T) {
	folder := t.TempDir()
	write(t, folder, "sample.go", sample)
	_, err := list(folder, write(t, t.TempDir(), "listed.json", strings.Replace(sampleListed, "16", "17", 1)))
	require.EqualError(t, err, "sample.go:3:17 has nothing for ARITHMETIC_BASE")
}

func TestOnlyAReasonedSurvivorIsExplained(t *testing.T) {
	known, err := parseEquivalents("# a heading\n\nsome/a.go\n- x < 1\n+ x <= 1\nx is odd\nand never 1\n\nsome/a.go\n- f()\n+\nno reason needed\n")
	require.NoError(t, err)
	m := mutant{folder: "some", file: "a.go", source: []byte("x < 1\n"), from: 2, to: 3, text: "<="}
	assert.Equal(t, 0, report([]outcome{{m, lived}, {m, killed}, {m, timedOut}, {m, notViable}}, known))
	m.text = ">"
	assert.Equal(t, 2, report([]outcome{{m, lived}, {m, broken}}, known))

	_, err = parseEquivalents("some/a.go\n- x < 1\n+ x <= 1")
	assert.ErrorContains(t, err, "not a path, two lines and a reason")
}

// A reason for a line that is not there explains nothing, and nobody would notice.
func TestEachEquivalentIsOfALineThatIsThere(t *testing.T) {
	known, err := parseEquivalents(equivalentText)
	require.NoError(t, err)
	for at := range known {
		code, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(at.path)))
		if assert.NoError(t, err) {
			assert.Contains(t, string(code), at.before, at.path)
		}
	}
}

const guardedSample = `package sample

func f(a, b, c int) int {
	if a <= b && (b < counted(c) || c == 0) {
		a = c
	}
	return a + 10*calls
}

var calls int

func counted(c int) int { calls++; return c }
`

// Each guarded form does what the mutant says when it has its turn, and what the code says otherwise. It also calls as
// often, so that no mutant is killed by a call that it does not make.
func TestAGuardDoesWhatItsMutantDoes(t *testing.T) {
	folder := t.TempDir()
	write(t, folder, "sample.go", guardedSample)
	write(t, folder, "go.mod", "module sample\n\ngo 1.26\n")
	write(t, folder, "sample_test.go", `package sample

import "testing"

func TestF(t *testing.T) {
	for i := range 64 {
		println(f(i/16, i/4%4, i%4))
	}
}
`)
	mutants, err := list(folder, write(t, t.TempDir(), "listed.json", `{"files": [{"file_name": "sample.go", "mutations": [
		{"type": "CONDITIONALS_NEGATION", "line": 4, "column": 7}, {"type": "CONDITIONALS_BOUNDARY", "line": 4, "column": 7},
		{"type": "INVERT_LOGICAL", "line": 4, "column": 12},
		{"type": "CONDITIONALS_NEGATION", "line": 4, "column": 18}, {"type": "CONDITIONALS_BOUNDARY", "line": 4, "column": 18},
		{"type": "INVERT_LOGICAL", "line": 4, "column": 31}, {"type": "CONDITIONALS_NEGATION", "line": 4, "column": 36}
	]}]}`))
	require.NoError(t, err)
	files, err := guarded(mutants)
	require.NoError(t, err)
	t.Chdir(folder)
	binary, err := (&lab{folder: folder}).compile(t.TempDir(), files)
	require.NoError(t, err)

	type counted = func(int) int
	unbroken := func(a, b, c int, n counted) bool { return a <= b && (b < n(c) || c == 0) }
	assert.Equal(t, outputOf(unbroken), output(t, binary, mutant{}))
	want := map[string]func(a, b, c int, n counted) bool{
		"if a > b && (b < counted(c) || c == 0) {":             func(a, b, c int, n counted) bool { return a > b && (b < n(c) || c == 0) },
		"if a < b && (b < counted(c) || c == 0) {":             func(a, b, c int, n counted) bool { return a < b && (b < n(c) || c == 0) },
		"if a <= b || (b < counted(c) || c == 0) {":            func(a, b, c int, n counted) bool { return a <= b || (b < n(c) || c == 0) },
		"if a <= b && (b >= counted(c) || c == 0) {":           func(a, b, c int, n counted) bool { return a <= b && (b >= n(c) || c == 0) },
		"if a <= b && (b <= counted(c) || c == 0) {":           func(a, b, c int, n counted) bool { return a <= b && (b <= n(c) || c == 0) },
		"if a <= b && (b < counted(c) && c == 0) {":            func(a, b, c int, n counted) bool { return a <= b && (b < n(c) && c == 0) },
		"if a <= b && (b < counted(c) || c != 0) {":            func(a, b, c int, n counted) bool { return a <= b && (b < n(c) || c != 0) },
		"if false && (a <= b && (b < counted(c) || c == 0)) {": func(int, int, int, counted) bool { return false },
	}
	for _, m := range mutants {
		if m.kind == "STATEMENT_REMOVED" {
			assert.NotEqual(t, outputOf(unbroken), output(t, binary, m), m.before())
			continue
		}
		require.Contains(t, want, m.after())
		assert.Equal(t, outputOf(want[m.after()]), output(t, binary, m), m.after())
		delete(want, m.after())
	}
	assert.Empty(t, want, "not among the mutants")
}

// outputOf is what the sample prints with this condition.
func outputOf(condition func(a, b, c int, counted func(int) int) bool) string {
	var printed strings.Builder
	calls := 0
	for i := range 64 {
		a, b, c := i/16, i/4%4, i%4
		if condition(a, b, c, func(c int) int { calls++; return c }) {
			a = c
		}
		fmt.Fprintln(&printed, a+10*calls)
	}
	return printed.String() + "PASS\n"
}

func output(t *testing.T, binary string, m mutant) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Env = append(os.Environ(), mutantVariable+"="+m.name())
	said, err := cmd.CombinedOutput()
	require.NoError(t, err)
	return string(said)
}

package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// A guard is a form of a mutant that stands in the code beside the right one and is asked for at run time, by number. So
// all mutants that have one share one compilation. What surrounds the broken expression or statement is prefix and suffix.
//
// A swapped && or || keeps its operands: of a && b && c becomes (a || b) && c, however the line of the report would bind.
type guard struct {
	from, to       int
	prefix, suffix string
}

const mutantVariable = "PAT_MUTANT"

// guardFile declares what the guards call. Processes that a test starts have the same mutant, by their environment.
const guardFile = `package %s

import "os"

var mutantName = os.Getenv("` + mutantVariable + `")

func mutantOn(name string) bool { return name == mutantName }
`

func (m mutant) name() string { return strconv.Itoa(m.number) }

// guardOf returns the guard of a mutant, nil if it has none: arithmetic needs a compilation of its own.
func (m mutant) guardOf(nodes *nodes) *guard {
	on := fmt.Sprintf("mutantOn(%q)", m.name())
	switch m.kind {
	case "CHECK_DROPPED":
		return &guard{m.from, m.to, "(!" + on + " && (", "))"}
	case "STATEMENT_REMOVED":
		if strings.HasPrefix(string(m.source[m.from:m.to]), "panic(") {
			return nil // it can be what a function ends with instead of a return
		}
		return &guard{m.from, m.to, "if !" + on + " { ", " }"}
	}
	binary := nodes.byOperator[m.from]
	if binary == nil {
		return nil
	}
	text := func(n ast.Node) string {
		return "(" + string(m.source[nodes.offset(n.Pos()):nodes.offset(n.End())]) + ")"
	}
	swapped := map[token.Token]token.Token{
		token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR, token.LAND: token.LOR, token.LOR: token.LAND,
	}
	g := &guard{from: nodes.offset(binary.Pos()), to: nodes.offset(binary.End())}
	switch m.kind {
	case "CONDITIONALS_NEGATION":
		g.prefix, g.suffix = "((", ") != "+on+")"
	case "CONDITIONALS_BOUNDARY", "INVERT_LOGICAL":
		// One of the two forms is evaluated and not both, since what they call may have effects.
		g.prefix = "(!" + on + " && ("
		g.suffix = ") || " + on + " && (" + text(binary.X) + swapped[binary.Op].String() + text(binary.Y) + "))"
	default:
		return nil
	}
	return g
}

// nodes finds the binary expressions of a file by the place of their operator, except for constants.
type nodes struct {
	set        *token.FileSet
	byOperator map[int]*ast.BinaryExpr
}

func newNodes(set *token.FileSet, file *ast.File) *nodes {
	n := &nodes{set: set, byOperator: make(map[int]*ast.BinaryExpr)}
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.GenDecl:
			return node.Tok != token.CONST
		case *ast.BinaryExpr:
			n.byOperator[n.offset(node.OpPos)] = node
		}
		return true
	})
	return n
}

func (n *nodes) offset(p token.Pos) int { return n.set.Position(p).Offset }

// withGuards returns the source with all its guards in it.
func withGuards(source []byte, guards []guard) []byte {
	// The outer ones first: their prefixes come before those of what they hold, and their suffixes behind.
	slices.SortStableFunc(guards, func(a, b guard) int {
		if a.from != b.from {
			return a.from - b.from
		}
		return b.to - a.to
	})
	prefixes, suffixes := make(map[int]string), make(map[int]string)
	for _, g := range guards {
		prefixes[g.from] += g.prefix
		suffixes[g.to] = g.suffix + suffixes[g.to]
	}
	var text strings.Builder
	for i := range len(source) + 1 {
		text.WriteString(suffixes[i])
		text.WriteString(prefixes[i])
		if i < len(source) {
			text.WriteByte(source[i])
		}
	}
	return []byte(text.String())
}

// guarded returns the files of a package with all guards in them, by their names, and the one that declares what the guards call.
func guarded(mutants []mutant) (map[string][]byte, error) {
	sources, guards := make(map[string][]byte), make(map[string][]guard)
	for _, m := range mutants {
		if m.guard != nil {
			sources[m.file] = m.source
			guards[m.file] = append(guards[m.file], *m.guard)
		}
	}
	for name, source := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.PackageClauseOnly)
		if err != nil {
			return nil, err
		}
		sources[name] = withGuards(source, guards[name])
		sources["mutation_guards.go"] = fmt.Appendf(nil, guardFile, file.Name.Name)
	}
	return sources, nil
}

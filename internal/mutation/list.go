package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A mutant is one break: the bytes of file between from and to become text.
type mutant struct {
	folder, file, kind string
	line               int
	from, to           int
	text               string
	source             []byte
	number             int
	guard              *guard
}

// lineWithin returns the line of text around an offset, without the white space at its ends.
func lineWithin(text []byte, offset int) string {
	from := strings.LastIndexByte(string(text[:offset]), '\n') + 1
	line, _, _ := strings.Cut(string(text[from:]), "\n")
	return strings.TrimSpace(line)
}

func (m mutant) mutated() []byte {
	return slices.Concat(m.source[:m.from], []byte(m.text), m.source[m.to:])
}

// before and after are the line of the break in both forms.
func (m mutant) before() string { return lineWithin(m.source, m.from) }
func (m mutant) after() string  { return lineWithin(m.mutated(), m.from) }

// list returns the mutants of the package in the folder, those of the file that gremlins wrote and our own.
func list(folder, gremlins string) ([]mutant, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	theirs, err := readGremlins(gremlins)
	if err != nil {
		return nil, err
	}
	var mutants []mutant
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, source, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		own := &finder{set: set, of: mutant{folder: folder, file: filepath.Base(path), source: source}}
		ast.Inspect(file, own.inspect)
		found := own.found
		for _, t := range theirs[filepath.Base(path)] {
			m, err := t.in(own.of)
			if err != nil {
				return nil, err
			}
			found = append(found, m)
		}
		nodes := newNodes(set, file)
		for _, m := range found {
			m.number = len(mutants) + 1
			m.guard = m.guardOf(nodes)
			mutants = append(mutants, m)
		}
	}
	return mutants, nil
}

// tokenSwap is a mutant as gremlins lists it.
type tokenSwap struct {
	Type         string
	Line, Column int
}

func readGremlins(path string) (map[string][]tokenSwap, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var listed struct {
		Files []struct {
			Name      string `json:"file_name"`
			Mutations []tokenSwap
		}
	}
	if err := json.Unmarshal(text, &listed); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	byFile := make(map[string][]tokenSwap)
	for _, f := range listed.Files {
		byFile[f.Name] = f.Mutations
	}
	return byFile, nil
}

// swaps has what each type of gremlins (v0.6.0) makes of a token, longer tokens first where one begins with another.
var swaps = map[string][][2]string{
	"ARITHMETIC_BASE":       {{"+", "-"}, {"*", "/"}, {"/", "*"}, {"%", "*"}, {"-", "+"}},
	"CONDITIONALS_BOUNDARY": {{">=", ">"}, {"<=", "<"}, {">", ">="}, {"<", "<="}},
	"CONDITIONALS_NEGATION": {{"==", "!="}, {"!=", "=="}, {">=", "<"}, {"<=", ">"}, {">", "<="}, {"<", ">="}},
	"INCREMENT_DECREMENT":   {{"++", "--"}, {"--", "++"}},
	"INVERT_ASSIGNMENTS":    {{"+=", "-="}, {"-=", "+="}, {"*=", "/="}, {"/=", "*="}, {"%=", "*="}},
	"INVERT_BITWISE":        {{"&^", "&"}, {"<<", ">>"}, {">>", "<<"}, {"&", "|"}, {"|", "&"}, {"^", "&"}},
	"INVERT_BWASSIGN":       {{"&^=", "&="}, {"<<=", ">>="}, {">>=", "<<="}, {"&=", "|="}, {"|=", "&="}, {"^=", "&="}},
	"INVERT_LOGICAL":        {{"&&", "||"}, {"||", "&&"}},
	"INVERT_LOOPCTRL":       {{"break", "continue"}, {"continue", "break"}},
	"INVERT_NEGATIVES":      {{"-", "+"}},
	"REMOVE_SELF_ASSIGNMENTS": {
		{"&^=", "="}, {"<<=", "="}, {">>=", "="}, {"+=", "="}, {"-=", "="}, {"*=", "="}, {"/=", "="}, {"%=", "="},
		{"&=", "="}, {"|=", "="}, {"^=", "="},
	},
}

func (t tokenSwap) in(m mutant) (mutant, error) {
	m.kind, m.line = t.Type, t.Line
	for range t.Line - 1 {
		m.from += strings.IndexByte(string(m.source[m.from:]), '\n') + 1
	}
	m.from += t.Column - 1
	for _, swap := range swaps[t.Type] {
		if strings.HasPrefix(string(m.source[m.from:]), swap[0]) {
			m.to, m.text = m.from+len(swap[0]), swap[1]
			return m, nil
		}
	}
	return mutant{}, fmt.Errorf("%s:%d:%d has nothing for %s", m.file, t.Line, t.Column, t.Type)
}

// A finder walks a file for our own mutants.
type finder struct {
	set   *token.FileSet
	of    mutant
	found []mutant
}

func (f *finder) inspect(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.IfStmt:
		f.drop(n.Cond)
	case *ast.SwitchStmt:
		for _, clause := range n.Body.List {
			if c, ok := clause.(*ast.CaseClause); ok && n.Tag == nil {
				for _, condition := range c.List {
					f.drop(condition)
				}
			}
		}
	case *ast.BlockStmt:
		f.removeFrom(n.List)
	case *ast.CaseClause:
		f.removeFrom(n.Body)
	case *ast.CommClause:
		f.removeFrom(n.Body)
	}
	return true
}

func (f *finder) drop(condition ast.Expr) {
	text := f.of.source[f.offset(condition.Pos()):f.offset(condition.End())]
	f.add("CHECK_DROPPED", condition, "false && ("+string(text)+")")
}

func (f *finder) removeFrom(statements []ast.Stmt) {
	for _, s := range statements {
		switch s := s.(type) {
		case *ast.ExprStmt, *ast.IncDecStmt, *ast.DeferStmt, *ast.SendStmt, *ast.GoStmt:
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE {
				continue
			}
		default:
			continue
		}
		f.add("STATEMENT_REMOVED", s, "")
	}
}

func (f *finder) add(kind string, node ast.Node, text string) {
	m := f.of
	m.kind, m.line, m.text = kind, f.set.Position(node.Pos()).Line, text
	m.from, m.to = f.offset(node.Pos()), f.offset(node.End())
	f.found = append(f.found, m)
}

func (f *finder) offset(p token.Pos) int { return f.set.Position(p).Offset }

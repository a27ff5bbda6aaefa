package pat_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A document that names a test which was renamed or taken out claims what nobody checks.
func TestTheDocumentsNameTestsThatExist(t *testing.T) {
	exists := testNames(t)
	require.True(t, exists["TestTheDocumentsNameTestsThatExist"])
	documents, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	require.Subset(t, documents, []string{"docs/asvs.md", "docs/threat-model.md"})
	run := regexp.MustCompile("-run ('[^']*'|[^ `]+)") // in a table, with a backslash before each bar
	name := regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark|Example)[A-Z_]\w*`)
	for _, document := range documents {
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		named := name.FindAllString(string(text), -1)
		t.Logf("%s names tests %d times", document, len(named))
		for _, n := range named {
			assert.True(t, exists[n], "%s names %s, which is not there", document, n)
		}
		for _, command := range run.FindAllStringSubmatch(string(text), -1) {
			for part := range strings.SplitSeq(strings.ReplaceAll(strings.Trim(command[1], "'"), `\|`, "|"), "|") {
				if part == "^$" { // the usual way to run benchmarks and no test
					continue
				}
				assert.True(t, matchesAny(part, exists), "%s runs %s, which is nothing", document, part)
			}
		}
	}
}

func matchesAny(pattern string, names map[string]bool) bool {
	compiled := regexp.MustCompile(pattern)
	for name := range names {
		if compiled.MatchString(name) {
			return true
		}
	}
	return false
}

// testNames returns the names of all tests, fuzz targets, benchmarks and examples of this module.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	require.NoError(t, filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != "." && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil {
				names[fn.Name.Name] = true
			}
		}
		return nil
	}))
	return names
}

package pat

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// work is how often something was called.
type work struct{ hashes, compares, slow int }

// primitives are the calls that make up the work of a verification, as they stand in this package's source.
var primitives = map[string]work{
	"sha256.Sum256":                 {hashes: 1},
	"s.mac.Sum":                     {hashes: 1},
	"subtle.ConstantTimeCompare":    {compares: 1},
	"hmac.Equal":                    {compares: 1},
	"hasher.Match":                  {slow: 1},
	"bcrypt.CompareHashAndPassword": {slow: 1},
	"argon2.IDKey":                  {slow: 1},
}

// The counters are those of the coverage tool, so that the code has no hook for this test, and the verify path pays
// nothing for it. A refusal under an old key, or of a digest from before the pepper, has the same number of hashes as an
// unknown prefix, but not under the same key: for a prefix that is not there, nobody can tell which it would be.
func TestEveryRefusalOfAWellFormedValueDoesTheSameWork(t *testing.T) {
	counting := filepath.Join(t.TempDir(), "counting.test")
	built, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-covermode=count", "-o", counting, ".").CombinedOutput()
	require.NoError(t, err, "%s", built)
	calls := primitiveCalls(t)
	for hashing, causes := range refusals(t) {
		for cause := range causes {
			name := hashing + "/" + cause
			t.Run(name, func(t *testing.T) {
				const times = 10
				before, after := counted(t, counting, name, 0, calls), counted(t, counting, name, times, calls)
				done := work{after.hashes - before.hashes, after.compares - before.compares, after.slow - before.slow}
				t.Logf("%d refusals: %+v", times, done)
				assert.Equal(t, work{hashes: times, compares: times}, done)
			})
		}
	}
}

// call is where a primitive is called.
type call struct {
	file         string
	line, column int
	primitive    string
}

// primitiveCalls finds every call of a primitive in this package.
func primitiveCalls(t *testing.T) []call {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var calls []call
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			if c, ok := n.(*ast.CallExpr); ok {
				if name := types.ExprString(c.Fun); primitives[name] != (work{}) {
					at := set.Position(c.Pos())
					calls = append(calls, call{file, at.Line, at.Column, name})
				}
			}
			return true
		})
	}
	for _, name := range []string{"sha256.Sum256", "s.mac.Sum", "subtle.ConstantTimeCompare", "hasher.Match"} {
		require.Contains(t, fmt.Sprint(calls), name, "it has another name now: adapt primitives")
	}
	return calls
}

// counted lets a process refuse and returns the work that it did, that of getting ready included.
func counted(t *testing.T, counting, refusal string, times int, calls []call) (done work) {
	t.Helper()
	profile := filepath.Join(t.TempDir(), "profile")
	cmd := exec.CommandContext(t.Context(), counting, "-test.coverprofile", profile,
		"-test.run", "^TestEveryRefusalOfAWellFormedValueAsksTheStoreOnce$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s/%d", refuseVariable, refusal, times))
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", output)
	text, err := os.ReadFile(profile)
	require.NoError(t, err)
	for _, c := range calls {
		n := c.times(t, string(text))
		unit := primitives[c.primitive]
		done.hashes += n * unit.hashes
		done.compares += n * unit.compares
		done.slow += n * unit.slow
	}
	return done
}

// times returns how often the block of statements with this call ran. A block within another one begins later.
func (c call) times(t *testing.T, profile string) int {
	t.Helper()
	found, count, last := false, 0, [2]int{}
	for line := range strings.Lines(profile) {
		_, line, ok := strings.Cut(line, "/"+c.file+":")
		if !ok {
			continue
		}
		var fromLine, fromColumn, toLine, toColumn, statements, n int
		_, err := fmt.Sscanf(line, "%d.%d,%d.%d %d %d", &fromLine, &fromColumn, &toLine, &toColumn, &statements, &n)
		require.NoError(t, err, line)
		from, to, at := [2]int{fromLine, fromColumn}, [2]int{toLine, toColumn}, [2]int{c.line, c.column}
		if !less(at, from) && less(at, to) && !less(from, last) {
			found, count, last = true, n, from
		}
	}
	require.True(t, found, "no counter for %+v", c)
	return count
}

func less(a, b [2]int) bool { return a[0] < b[0] || a[0] == b[0] && a[1] < b[1] }

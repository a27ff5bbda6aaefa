package pat_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/memory"
)

func TestConstructorsStartNoGoroutine(t *testing.T) {
	// A bubble ends only when every goroutine in it has ended. Nothing is closed here.
	synctest.Test(t, func(t *testing.T) {
		store := memory.New()
		cfg := importing(pat.Config{Now: time.Now})
		_, err := pat.NewIssuer(store, cfg)
		require.NoError(t, err)
		_, err = pat.NewVerifier(store, cfg)
		require.NoError(t, err)
	})
}

// Importing this module does nothing by itself, and there is no default that one importer could change for another.
func TestNoShippedPackageHasStateThatCanBeSetOrRunsOnImport(t *testing.T) {
	for _, dir := range []string{".", "memory", "sqlite", "httpadapter", "storetest"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			for _, decl := range parsed.Decls {
				switch decl := decl.(type) {
				case *ast.FuncDecl:
					assert.False(t, decl.Recv == nil && decl.Name.Name == "init", "%s has an init", file)
				case *ast.GenDecl:
					assertOnlyErrorsAreExported(t, file, decl)
				}
			}
		}
	}
}

// assertOnlyErrorsAreExported asserts it of variables. That errors are variables is Go's custom.
func assertOnlyErrorsAreExported(t *testing.T, file string, decl *ast.GenDecl) {
	t.Helper()
	if decl.Tok != token.VAR {
		return
	}
	for _, spec := range decl.Specs {
		for _, name := range spec.(*ast.ValueSpec).Names {
			assert.True(t, !name.IsExported() || strings.HasPrefix(name.Name, "Err"), "%s exports the variable %s", file, name.Name)
		}
	}
}

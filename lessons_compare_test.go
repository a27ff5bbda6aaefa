package pat

import (
	"context"
	"crypto/sha256"
	"go/ast"
	"go/parser"
	"go/token"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The advisories here are about how a presented value is compared, and with what if nothing is known about it.

// keyRecorder is a store that notes what it is asked for.
type keyRecorder struct {
	oneRecord
	keys []string
}

func (s *keyRecorder) FindByPrefix(ctx context.Context, prefix string) (Record, error) {
	s.keys = append(s.keys, prefix)
	return s.oneRecord.FindByPrefix(ctx, prefix)
}

// CVE-2025-54499, Mattermost: secrets were compared with a plain string comparison, whose time tells how many
// characters are right.
func TestCVE_2025_54499_SecretsAreComparedInConstantTime(t *testing.T) {
	value, prefix := newValue()
	store := &keyRecorder{}
	v, err := NewVerifier(store, Config{LastUsedInterval: -1})
	require.NoError(t, err)
	store.rec = Record{
		Token:  Token{ID: "0199c0de-0000-7000-8000-000000000001", UserID: "alice", GroupID: "1", Prefix: prefix},
		Digest: v.hashers.digest(value),
	}
	for i := secretStart; i < checksumStart; i++ {
		guess := []byte(value[:checksumStart])
		guess[i] = alphabet[(digitOf[guess[i]]+1)%62]
		_, err := v.Verify(t.Context(), string(appendBase62(guess, checksum(string(guess)))))
		require.ErrorIs(t, err, ErrWrongSecret)
	}
	for _, key := range store.keys {
		require.Equal(t, prefix, key, "no part of a secret goes into a look-up, whose time is the database's")
	}
	assert.Equal(t, map[string]int{"matchPlain": 1, "matchFast": 1}, callersOf(t, "hash.go", "equal"),
		"both comparisons of digests go through equal")
	assert.Equal(t, map[string]int{"equal": 1}, callersOf(t, "hash.go", "ConstantTimeCompare"), "and equal is constant")
}

// callersOf returns how often each function of a file calls the named one.
func callersOf(t *testing.T, file, callee string) map[string]int {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	calls := map[string]int{}
	for _, decl := range parsed.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		ast.Inspect(fn, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && nameOf(call.Fun) == callee {
				calls[fn.Name.Name]++
			}
			return true
		})
	}
	return calls
}

func nameOf(fun ast.Expr) string {
	switch fun := fun.(type) {
	case *ast.Ident:
		return fun.Name
	case *ast.SelectorExpr:
		return fun.Sel.Name
	}
	return ""
}

// hashersOfEachKind are plain and peppered.
func hashersOfEachKind(t *testing.T) map[string]*hashers {
	t.Helper()
	return map[string]*hashers{
		"plain": hashersOf(t), "peppered": hashersOf(t, pepperKey("k1")), "with an old key": hashersOf(t, pepperKey("k2"), pepperKey("k1")),
	}
}

// GHSA-8fxq-53rx-ph5f, Coder: where no hash was stored, one of a password that anybody could read in the source stood in,
// and whoever sent that password got another answer.
func TestGHSA_8fxq_53rx_ph5f_NobodyKnowsAValueThatMatchesTheDummy(t *testing.T) {
	for name, h := range hashersOfEachKind(t) {
		t.Run(name, func(t *testing.T) {
			assert.NotEqual(t, h.dummy, hashersOfEachKind(t)[name].dummy, "it is drawn anew for each Verifier")
			for _, guess := range []string{"", "hunter2", "dummy", "pat_", h.dummy.Encoded(), h.dummy.sum()} {
				assert.NotEqual(t, h.digest(guess), h.dummy)
			}
		})
	}
	// And if somebody knew one, it would get them nothing.
	v, err := NewVerifier(&oneRecord{}, Config{LastUsedInterval: -1})
	require.NoError(t, err)
	value, _ := newValue()
	v.hashers.dummy = v.hashers.digest(value)
	tok, err := v.Verify(t.Context(), value)
	require.ErrorIs(t, err, ErrUnknown)
	assert.Equal(t, Token{}, tok)
}

// CVE-2026-41263, Traefik: the hash that was to stand in for unknown users was always empty, so that comparing with it
// took no time, and told who exists.
func TestCVE_2026_41263_TheDummyIsAsMuchWorkAsADigest(t *testing.T) {
	value, _ := newValue()
	for name, h := range hashersOfEachKind(t) {
		t.Run(name, func(t *testing.T) {
			digest := h.digest(value)
			assert.Equal(t, digest.Algorithm(), h.dummy.Algorithm())
			assert.Equal(t, digest.KeyID(), h.dummy.KeyID())
			assert.Len(t, h.dummy.sum(), sha256.Size)
			match, known, err := h.matchFast(h.dummy, value)
			require.NoError(t, err, "a comparison that fails early is a short one")
			assert.True(t, known)
			assert.False(t, match)
		})
	}
}

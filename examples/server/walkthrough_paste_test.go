//go:build walkthrough

// The tag is there because "go test ./..." must pass where there is only Go and a C compiler, and this needs more:
// bash, curl and sed.

package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/sqlite"
)

func TestTheWalkThroughWorksWhenPasted(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "sed"} {
		_, err := exec.LookPath(tool)
		require.NoError(t, err, "this test pastes the walk-through into bash, and needs %s", tool)
	}
	db := filepath.Join(t.TempDir(), "pat.db")
	p := start(t, db)
	text := walkThrough(p.base)

	var printed string
	for range 2 { // it leaves nothing behind that would be in its own way
		shell := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail")
		shell.Stdin = strings.NewReader(text)
		out, err := shell.CombinedOutput()
		require.NoError(t, err, "%s", out)
		printed = string(out)
	}
	assert.Equal(t, text, p.stop(t, syscall.SIGTERM), "the server prints it as it is")

	// What each step answers, in order. A status is at the end of a line.
	sections := strings.Split(printed, "\n\n")
	require.Len(t, sections, 9, printed)
	wants := [][]string{
		1: {`"userId":"alice"`, `"token":"pat_`},
		2: {`"tokenPrefix":"`, " 200"},
		3: {`"effectiveScope":"public_scope"`, " 200"},
		4: {`"code":"invalid_token"`, " 401"},
		5: {`"userId":"alice"`, " 200", `"code":"insufficient_scope"`, " 403"},
		6: {" 401"},
		7: {"[]", " 200", `"code":"forbidden"`, " 403", `"code":"not_found"`, " 404"},
		8: {" 204", `"code":"token_revoked"`, " 401"},
	}
	for i, want := range wants {
		rest := sections[i]
		for _, text := range want {
			_, behind, found := strings.Cut(rest, text)
			assert.True(t, found, "step %d lacks %s:\n%s", i, text, sections[i])
			rest = behind
		}
	}

	store, err := sqlite.Open(db)
	require.NoError(t, err)
	defer func() { assert.NoError(t, store.Close()) }()
	tokens, err := store.List(t.Context(), pat.ListQuery{Owner: pat.Owner{UserID: "alice"}, Limit: 10})
	require.NoError(t, err)
	assert.Empty(t, tokens, "the walk-through leaves a living token behind")
}

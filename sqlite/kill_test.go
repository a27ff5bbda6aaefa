package sqlite_test

import (
	"bufio"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/testscale"
	"github.com/patkit/pat/sqlite"
)

const tick = "tick"

// writeUntilKilled creates tokens, revokes some and rotates others. It prints a line before each change of a token and
// one after each call that has returned. Another goroutine prints all the time, as a clock that tells the other process
// when to kill: in any stage of a call, and not just behind one.
func writeUntilKilled(path string) {
	s, err := sqlite.Open(path)
	must(err)
	issuer, err := pat.NewIssuer(s, pat.Config{})
	must(err)
	say := func(words ...any) {
		_, err := fmt.Fprintln(os.Stdout, words...) // one write, which a pipe takes as a whole or not at all
		must(err)
	}
	go func() {
		for {
			say(tick)
		}
	}()
	create := func() string {
		issued, err := issuer.Create(ctx, pat.CreateParams{UserID: "user", GroupID: "group", Name: "name"})
		must(err)
		say("created", issued.Token.ID, issued.Value.Reveal())
		return issued.Token.ID
	}
	for {
		create()
		revoked, rotated := create(), create()
		say("ending", revoked)
		_, err := issuer.Revoke(ctx, revoked)
		must(err)
		say("revoked", revoked)
		say("ending", rotated)
		successor, err := issuer.Rotate(ctx, rotated, pat.RotateParams{})
		must(err)
		say("created", successor.Token.ID, successor.Value.Reveal())
		say("rotated", rotated, successor.Token.ID)
	}
}

// acknowledged is what the killed process said about a token.
type acknowledged struct {
	value       string
	ending      bool // it was about to be revoked, alone or by a rotation
	revoked     bool
	successorID string
}

// What was acknowledged survives a kill -9, and what was interrupted is undone or done, but not by half. All rounds
// work on one file, so that each process goes on where another one was killed.
func TestWhatWasAcknowledgedSurvivesAKill(t *testing.T) {
	rounds := testscale.Rounds(t, 20, 10_000)
	path := filepath.Join(t.TempDir(), "pat.db")
	known := make(map[string]*acknowledged)
	for round := range rounds {
		note(t, known, linesUntilKilled(t, path, rand.N(40), 1+rand.N(2000)))
		s, err := sqlite.Open(path)
		require.NoError(t, err)
		tokens := checkAcknowledged(t, s, known)
		assert.LessOrEqual(t, len(tokens), len(known)+round+1, "each round interrupts one call at most")
		require.NoError(t, s.Close())
		checkIntegrity(t, path)
		if t.Failed() {
			t.FailNow()
		}
	}
	assert.NotEmpty(t, known)
}

// linesUntilKilled starts the process, kills it once it has printed so many lines and then so many ticks, and returns
// all lines that it printed.
func linesUntilKilled(t *testing.T, path string, wanted, ticks int) []string {
	t.Helper()
	cmd := process(t, "write", path)
	cmd.Stdout = nil
	pipe, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var lines []string
	scanner := bufio.NewScanner(pipe)
	for scanner.Scan() {
		switch line := scanner.Text(); {
		case line != tick:
			lines = append(lines, line)
		case len(lines) >= wanted:
			if ticks--; ticks == 0 {
				require.NoError(t, cmd.Process.Kill())
			}
		}
	}
	require.NoError(t, scanner.Err())
	require.EqualError(t, cmd.Wait(), "signal: killed", "%s", lines)
	return lines
}

// note adds what the lines say to what is known.
func note(t *testing.T, known map[string]*acknowledged, lines []string) {
	t.Helper()
	for _, line := range lines {
		words := strings.Fields(line)
		switch words[0] {
		case "created":
			known[words[1]] = &acknowledged{value: words[2]}
		case "ending":
			known[words[1]].ending = true
		case "revoked":
			known[words[1]].revoked = true
		case "rotated":
			known[words[1]].revoked, known[words[1]].successorID = true, words[2]
		default:
			require.Fail(t, "the process failed", line)
		}
	}
}

// checkAcknowledged checks that the store has what is known, and returns all its tokens.
func checkAcknowledged(t *testing.T, s *sqlite.Store, known map[string]*acknowledged) []pat.Token {
	t.Helper()
	verifier, err := pat.NewVerifier(s, pat.Config{})
	require.NoError(t, err)
	for id, k := range known {
		_, err := verifier.Verify(t.Context(), k.value)
		switch {
		case k.revoked:
			require.ErrorIs(t, err, pat.ErrRevoked)
		case k.ending && err != nil: // interrupted, and done
			require.ErrorIs(t, err, pat.ErrRevoked)
			k.revoked = true
		default:
			require.NoError(t, err)
		}
		tok, err := s.FindByID(t.Context(), id)
		require.NoError(t, err)
		if k.successorID != "" {
			require.Equal(t, k.successorID, tok.RotatedTo)
		}
	}
	require.NoError(t, verifier.Close(t.Context()))

	tokens, err := s.List(t.Context(), pat.ListQuery{Owner: pat.Owner{GroupID: "group"}, IncludeRevoked: true, Limit: 1_000_000})
	require.NoError(t, err)
	byID := make(map[string]pat.Token)
	for _, tok := range tokens {
		byID[tok.ID] = tok
	}
	for _, tok := range tokens {
		if tok.RotatedTo != "" {
			assert.True(t, tok.Revoked())
			assert.Equal(t, tok.ID, byID[tok.RotatedTo].RotatedFrom, "a rotated token has its successor")
		}
		if tok.RotatedFrom != "" {
			assert.Equal(t, tok.ID, byID[tok.RotatedFrom].RotatedTo, "a successor stands in the place of its predecessor")
		}
	}
	return tokens
}

func checkIntegrity(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	var result string
	require.NoError(t, db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&result))
	assert.Equal(t, "ok", result)
}

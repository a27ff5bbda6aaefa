package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/pgtest"
	"github.com/patkit/pat/internal/testscale"
	"github.com/patkit/pat/postgres"
	"github.com/patkit/pat/sqlite"
)

// moved runs the command, which has to succeed, and returns what it printed.
func moved(t *testing.T, path, url, schema string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitOK, run(t.Context(), []string{"-from", path, "-to", url, "-schema", schema}, &stdout, &stderr), stderr.String())
	assert.Empty(t, stderr.String())
	return stdout.String()
}

func openSQLite(t *testing.T) (s *sqlite.Store, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "pat.db")
	s, err := sqlite.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s, path
}

func openPostgres(t *testing.T, schema string) *postgres.Store {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), pgtest.URL(t))
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	s, err := postgres.New(t.Context(), pool, postgres.WithSchema(schema), postgres.WithoutMigration())
	require.NoError(t, err)
	return s
}

// issuing returns an issuer over a store, and a function that creates a token and returns its value.
func issuing(t *testing.T, s pat.Store) (*pat.Issuer, func() pat.Issued) {
	t.Helper()
	issuer, err := pat.NewIssuer(s, pat.Config{})
	require.NoError(t, err)
	return issuer, func() pat.Issued {
		issued, err := issuer.Create(t.Context(), pat.CreateParams{UserID: "user", GroupID: "group", Name: "name"})
		require.NoError(t, err)
		return issued
	}
}

// It is the move of docs/scaling.md, step by step.
func TestAServiceMovesWithVerificationGoingOn(t *testing.T) {
	schema := pgtest.Schema(t)
	old, path := openSQLite(t)
	issuer, create := issuing(t, old)
	n := testscale.Rounds(t, 2000, 100_000)
	var issued []pat.Issued
	for range n {
		issued = append(issued, create())
	}

	// One value is verified by the whole service, without a pause, from here to the end.
	serving, err := pat.NewVerifier(old, pat.Config{})
	require.NoError(t, err)
	served := issued[0].Value.Reveal()
	var mu sync.Mutex
	verifications := 0
	stop, stopped := make(chan struct{}), make(chan struct{})
	end := sync.OnceFunc(func() {
		close(stop)
		<-stopped
	})
	t.Cleanup(end)
	go func() {
		defer close(stopped)
		for {
			mu.Lock()
			_, err := serving.Verify(context.Background(), served)
			verifications++
			mu.Unlock()
			if !assert.NoError(t, err) {
				return
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	}()

	// 1. A first copy, with everything going on.
	assert.Equal(t, fmt.Sprintf("%d tokens added, 0 changed, 0 the same as before\n", n), moved(t, path, pgtest.URL(t), schema))
	issued = append(issued, create())
	_, err = issuer.Revoke(t.Context(), issued[1].Token.ID)
	require.NoError(t, err)
	// 2. Management stops.
	assert.Regexp(t, fmt.Sprintf("^1 tokens added, (1 changed, %d|2 changed, %d) the same", n-1, n-2), moved(t, path, pgtest.URL(t), schema))
	// A revocation that can't wait is made on the old side, and copied.
	_, err = issuer.Revoke(t.Context(), issued[2].Token.ID)
	require.NoError(t, err)
	assert.Regexp(t, "^0 tokens added, [12] changed", moved(t, path, pgtest.URL(t), schema))
	// 3. Nothing is left to add.
	assert.Regexp(t, fmt.Sprintf("^0 tokens added, [01] changed, (%d|%d) the same", n, n+1), moved(t, path, pgtest.URL(t), schema))
	// 4. One instance is switched, and the other one still verifies on the old side.
	fresh := openPostgres(t, schema)
	next, err := pat.NewVerifier(fresh, pat.Config{})
	require.NoError(t, err)
	_, err = next.Verify(t.Context(), served)
	require.NoError(t, err)
	mu.Lock()
	_, err = serving.Verify(t.Context(), served)
	require.NoError(t, err)
	require.NoError(t, serving.Close(t.Context()))
	serving = next
	mu.Unlock()

	for i, token := range issued {
		_, err := next.Verify(t.Context(), token.Value.Reveal())
		if i == 1 || i == 2 {
			require.ErrorIs(t, err, pat.ErrRevoked)
			continue
		}
		require.NoError(t, err)
	}
	end()
	require.NoError(t, next.Close(t.Context()))
	t.Logf("%d tokens moved, %d verifications meanwhile", n+1, verifications)
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	_, path := openSQLite(t)
	text := filepath.Join(t.TempDir(), "text")
	require.NoError(t, os.WriteFile(text, bytes.Repeat([]byte("no database "), 100), 0o600))
	const nowhere = "postgres://alice:zebra@127.0.0.1:1/tokens?connect_timeout=1" //nolint:gosec // no password of anybody
	for _, test := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"nothing to do", nil, exitUsage, "-from and -to are needed"},
		{"only half", []string{"-from", path}, exitUsage, "-from and -to are needed"},
		{"an argument too many", []string{"-from", path, "-to", nowhere, "x"}, exitUsage, "nothing else"},
		{"an unknown flag", []string{"-x"}, exitUsage, "-x"},
		{"help", []string{"-help"}, exitOK, "-schema"},
		{"no file", []string{"-from", text + "s", "-to", nowhere}, exitError, "the SQLite database: file does not exist"},
		{"no database", []string{"-from", text, "-to", nowhere}, exitError, "not a database"},
		{"no server", []string{"-from", path, "-to", nowhere}, exitError, "failed to connect"},
		{"no address", []string{"-from", path, "-to", "postgres://alice:zebra@127.0.0.1:port/"}, exitError, "cannot parse"},
		{"another form of address", []string{"-from", path, "-to", "host=h password = :zebra sslmode=bogus"}, exitError, "-to must begin with postgres://"},
		{"no schema's name", []string{"-from", path, "-to", nowhere, "-schema", "Pat"}, exitError, "WithSchema"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.Equal(t, test.code, run(t.Context(), test.args, &stdout, &stderr))
			assert.Contains(t, stderr.String(), test.want)
			assert.NotContains(t, stderr.String(), ":zebra")
			assert.Empty(t, stdout.String(), "nothing was begun")
		})
	}
	assert.NoFileExists(t, text+"s")
}

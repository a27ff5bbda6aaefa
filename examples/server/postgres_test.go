package main

import (
	"bytes"
	"context"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/internal/pgtest"
)

// verify asks a server about a value and returns the status and the error code.
func verify(t *testing.T, base, value string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/pats/verify", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+value)
	w, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = w.Body.Close() }()
	var text bytes.Buffer
	_, err = text.ReadFrom(w.Body)
	require.NoError(t, err)
	return w.StatusCode, text.String()
}

func TestTwoServersOnOneDatabaseFeelEachOthersRevocations(t *testing.T) {
	db := pgtest.Database(t)
	one, other := start(t, db), start(t, db)
	var token created
	post(t, one.base+"/pats", "alice-session", `{"name":"test","groupId":1}`, &token)
	for range 100 { // so that it is held in both caches
		for _, p := range []*process{one, other} {
			status, body := verify(t, p.base, token.Token)
			require.Equal(t, http.StatusOK, status, body)
		}
	}

	r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, one.base+"/pats/"+token.ID, nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer alice-session")
	w, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, w.Body.Close())
	require.Equal(t, http.StatusNoContent, w.StatusCode)
	acknowledged := time.Now()

	status, body := verify(t, one.base, token.Token)
	require.Equal(t, http.StatusUnauthorized, status, "where it was revoked, at once: %s", body)
	still := 0
	for status, body = verify(t, other.base, token.Token); status == http.StatusOK; status, body = verify(t, other.base, token.Token) {
		still++
	}
	require.Equal(t, http.StatusUnauthorized, status)
	assert.Contains(t, body, "token_revoked")
	t.Logf("felt by the other server after %v and %d requests", time.Since(acknowledged), still)

	one.stop(t, syscall.SIGTERM)
	other.stop(t, syscall.SIGTERM)
}

func TestADatabaseThatCannotBeReachedIsNamedWithoutItsPassword(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, db := range []string{
		"postgres://alice:zebra@127.0.0.1:1/tokens?connect_timeout=1",
		"postgresql://alice:zebra@127.0.0.1:1/tokens?sslmode=nonsense",
		"postgres://alice:zebra@127.0.0.1:port/tokens",
		"Postgres://alice:zebra@127.0.0.1:1/tokens",
		"host=127.0.0.1 password=zebra",
	} {
		var stdout, stderr bytes.Buffer
		assert.Equal(t, exitError, run(ctx, []string{"-addr", "127.0.0.1:0", "-db", db}, &stdout, &stderr))
		assert.Contains(t, stderr.String(), "open the database: ")
		assert.NotContains(t, stderr.String(), ":zebra@")
		assert.NotContains(t, stderr.String(), "=zebra")
		assert.Empty(t, stdout.String())
		t.Log(stderr.String())
	}
}

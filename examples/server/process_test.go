package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/sqlite"
)

// beServer makes the test binary be the server, so that a test can start it as a process and send it signals.
const beServer = "PAT_EXAMPLE_BE_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(beServer) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func parseTime(t *testing.T, s string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, s)
	require.NoError(t, err)
	return parsed
}

// process is a server that runs as a process of its own.
type process struct {
	cmd    *exec.Cmd
	base   string // where the API is
	stderr *bytes.Buffer
	rest   <-chan string // what it prints to stdout until it ends
}

// start starts a server on a free port, and returns when it has told where it listens.
func start(t *testing.T, db string) *process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	p := &process{stderr: new(bytes.Buffer)}
	p.cmd = exec.CommandContext(t.Context(), self, "-addr", "127.0.0.1:0", "-db", db)
	p.cmd.Env = append(os.Environ(), beServer+"=1")
	p.cmd.Stderr = p.stderr
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())

	lines := bufio.NewReader(stdout)
	var seen strings.Builder
	for p.base == "" {
		line, err := lines.ReadString('\n')
		seen.WriteString(line)
		if err != nil {
			_ = p.cmd.Wait()
			require.NoError(t, err, "the server ended early: %s", p.stderr)
		}
		if address, ok := strings.CutPrefix(line, "base='"); ok {
			p.base = strings.TrimSuffix(strings.TrimSpace(address), "'")
		}
	}
	rest := make(chan string, 1)
	go func() {
		more, _ := io.ReadAll(lines)
		rest <- seen.String() + string(more)
	}()
	p.rest = rest
	return p
}

// stop sends the signal and returns what the server printed to stdout. It has to end without complaint.
func (p *process) stop(t *testing.T, signal os.Signal) string {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(signal))
	printed := <-p.rest // read to the end before Wait, which closes the pipe
	require.NoError(t, p.cmd.Wait(), p.stderr)
	return printed
}

func post(t *testing.T, url, credential, body string, answer any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+credential)
	w, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = w.Body.Close() }()
	require.Less(t, w.StatusCode, 300)
	require.NoError(t, json.NewDecoder(w.Body).Decode(answer))
}

func TestASignalEndsItCleanlyWithLastUsedTimesWritten(t *testing.T) {
	for name, signal := range map[string]os.Signal{"SIGTERM": syscall.SIGTERM, "SIGINT": os.Interrupt} {
		t.Run(name, func(t *testing.T) {
			db := filepath.Join(t.TempDir(), "pat.db")
			p := start(t, db)
			var token created
			post(t, p.base+"/pats", "alice-session", `{"name":"test","groupId":1}`, &token)
			post(t, p.base+"/pats/verify", token.Token, "", new(map[string]any))
			p.stop(t, signal)
			assert.Contains(t, p.stderr.String(), "shutting down")
			assert.NoFileExists(t, db+"-wal", "the database was not closed") // the last one out takes the log away

			store, err := sqlite.Open(db)
			require.NoError(t, err)
			defer func() { assert.NoError(t, store.Close()) }()
			stored, err := store.FindByID(t.Context(), token.ID)
			require.NoError(t, err)
			assert.False(t, stored.LastUsedAt.IsZero(), "the last use was not written")
		})
	}
}

func TestAStartThatFailsSaysWhyAndExitsNonZero(t *testing.T) {
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = taken.Close() }()
	folder := t.TempDir()
	noDatabase := filepath.Join(folder, "text")
	require.NoError(t, os.WriteFile(noDatabase, []byte(strings.Repeat("no database ", 100)), 0o600))
	unused := filepath.Join(folder, "unused.db")

	tests := []struct {
		name     string
		args     []string
		wantCode int
		wantText string
	}{
		{"the port is taken", []string{"-addr", taken.Addr().String(), "-db", unused}, exitError, "address already in use"},
		{"the address is none", []string{"-addr", "nonsense", "-db", unused}, exitError, "listen:"},
		{"the folder is not there", []string{"-addr", "127.0.0.1:0", "-db", folder + "/no/pat.db"}, exitError, "open the database "},
		{"the file is no database", []string{"-addr", "127.0.0.1:0", "-db", noDatabase}, exitError, "open the database "},
		{"an argument too many", []string{"-addr", "127.0.0.1:0", "-db", unused, "extra"}, exitUsage, `unexpected argument "extra"`},
		{"an unknown flag", []string{"-port", "1"}, exitUsage, "-port"},
		{"help", []string{"-help"}, exitOK, "127.0.0.1:8080"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			// The deadline is for the day on which one of them does start.
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			var stdout, stderr bytes.Buffer
			assert.Equal(t, test.wantCode, run(ctx, test.args, &stdout, &stderr), stderr.String())
			assert.Contains(t, stderr.String(), test.wantText)
			assert.Empty(t, stdout.String(), "nothing to paste")
		})
	}
	assert.NoFileExists(t, unused, "a start that failed left a database behind")
}

func TestItRunsWithoutADatabaseFile(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	p := start(t, ":memory:")
	var token created
	post(t, p.base+"/pats", "alice-session", `{"name":"test","groupId":1}`, &token)
	post(t, p.base+"/pats/verify", token.Token, "", new(map[string]any))
	p.stop(t, syscall.SIGTERM)

	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Empty(t, left)
}

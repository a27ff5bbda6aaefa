package pgtest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Cluster is a server of one test's own. Its methods are called by the goroutine of that test, as they end it if they
// fail. They return when what they do is done.
type Cluster struct {
	t            testing.TB
	url, control string
}

// Own starts a server, which is deleted at the end of the test in whatever state the test has left it. A pool of
// connections to a server that is frozen takes long to close: [Cluster.Thaw] it first. Where there is no server to share,
// so that nobody has said that there is a PostgreSQL at all, it skips the test.
func Own(t testing.TB) *Cluster {
	t.Helper()
	URL(t)
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	// The server lives until the command has read all its input. So it ends with this process, however that ends.
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), filepath.Join(root, "scripts", "postgres"),
		"bash", "-c", `printf '%s\n' "$PAT_TEST_POSTGRES" "$PAT_TEST_POSTGRES_CTL" && cat`)
	var said bytes.Buffer
	cmd.Stderr = &said
	input, inputErr := cmd.StdinPipe()
	output, outputErr := cmd.StdoutPipe()
	if err := errors.Join(inputErr, outputErr, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	c := &Cluster{t: t}
	lines := bufio.NewScanner(output)
	for _, variable := range []*string{&c.url, &c.control} {
		if lines.Scan() {
			*variable = lines.Text()
		}
	}
	t.Cleanup(func() {
		if err := errors.Join(input.Close(), cmd.Wait()); err != nil {
			t.Errorf("a server of the test's own: %v: %s", err, &said)
		}
	})
	if c.control == "" {
		t.FailNow() // the cleanup has the reason
	}
	return c
}

// URL returns the address, with the rights of a superuser. It stays the same when the server is stopped and started.
func (c *Cluster) URL() string { return c.url }

// Stop stops the server. The mode is "fast", which ends the sessions, or "immediate", which is a crash: the server
// recovers from its log at the next start.
func (c *Cluster) Stop(mode string) { c.do("stop", mode) }

// Start starts a server that was stopped.
func (c *Cluster) Start() { c.do("start") }

// Freeze stops all processes of the server with SIGSTOP. Its connections stay open, and the system accepts new ones,
// but nothing is answered.
func (c *Cluster) Freeze() { c.do("freeze") }

// Thaw lets a server that was frozen go on.
func (c *Cluster) Thaw() { c.do("thaw") }

func (c *Cluster) do(command ...string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 2*patience)
	defer cancel()
	if said, err := exec.CommandContext(ctx, c.control, command...).CombinedOutput(); err != nil {
		c.t.Fatalf("%v: %v: %s", command, err, said)
	}
}

// moduleRoot finds the folder above this one that has go.mod. The go command runs a test in the folder of its package.
func moduleRoot() (string, error) {
	folder, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(folder, "go.mod")); missing == nil {
			return folder, nil
		}
		above := filepath.Dir(folder)
		if above == folder {
			return "", errors.New("no go.mod above the working folder")
		}
		folder = above
	}
	return "", err
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

type verdict string

const (
	killed    verdict = "killed"
	lived     verdict = "LIVED"
	timedOut  verdict = "timed out"
	notViable verdict = "does not compile"
	broken    verdict = "NOT TESTED"
)

// The compiler speaks of the file by this name.
const mutatedName = "mutated.go"

// A lab runs the tests of one package on mutants of it.
type lab struct {
	folder, scratch string
	first, skip     string
	limit           time.Duration
}

// newLab makes sure that the tests pass as the code is, and takes five times that time as the limit.
func newLab(folder, first, skip string) (*lab, error) {
	scratch, err := os.MkdirTemp("", "mutation")
	if err != nil {
		return nil, err
	}
	l := &lab{folder: folder, scratch: scratch, first: first, skip: skip, limit: 10 * time.Minute}
	check(letPass(scratch))
	start := time.Now()
	if v := l.test(mutant{}); v != lived {
		l.close()
		return nil, fmt.Errorf("the tests of %s without a break: %s", folder, v)
	}
	l.limit = 5*time.Since(start) + 10*time.Second
	return l, nil
}

// letPass lets other users pass through a folder. Tests that root runs may start processes of users without rights.
func letPass(folder string) error { return os.Chmod(folder, 0o711) } //nolint:gosec // nothing secret

// close removes the scratch folder, and with it the binaries of tests that may still run.
func (l *lab) close() { _ = os.RemoveAll(l.scratch) }

// test compiles the package with the break in it, and runs its tests. A mutant without a file breaks nothing.
func (l *lab) test(m mutant) verdict {
	own, err := os.MkdirTemp(l.scratch, "mutant")
	check(err)
	check(letPass(own))
	defer func() { _ = os.RemoveAll(own) }()
	binary, overlay := filepath.Join(own, "pkg.test"), filepath.Join(own, "overlay.json")
	check(os.WriteFile(overlay, overlayOf(m, filepath.Join(own, mutatedName)), 0o600))
	compile := exec.CommandContext(context.Background(), "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", binary, l.folder)
	if said, err := compile.CombinedOutput(); err != nil {
		if m.file == "" || !strings.Contains(string(said), mutatedName) {
			return broken // something else does not compile, and the mutant is not tested
		}
		return notViable
	}
	if l.first != "" {
		if v := l.run(binary, own, "-test.run", l.first, "-test.skip", l.skip); v != lived {
			return v
		}
	}
	return l.run(binary, own, "-test.skip", l.skip)
}

// overlayOf writes the mutated file to a path, and returns what makes the compiler read it.
func overlayOf(m mutant, path string) []byte {
	replaced := make(map[string]string)
	if m.file != "" {
		check(os.WriteFile(path, m.mutated(), 0o600))
		original, err := filepath.Abs(filepath.Join(m.folder, m.file))
		check(err)
		replaced[original] = path
	}
	text, err := json.Marshal(map[string]any{"Replace": replaced})
	check(err)
	return text
}

// run runs tests in their folder, with at most 8 GiB, since a broken loop can ask for everything there is.
func (l *lab) run(binary, scratch string, flags ...string) verdict {
	ctx, cancel := context.WithTimeout(context.Background(), l.limit)
	defer cancel()
	limited := []string{"-c", `ulimit -v 8388608; exec "$0" -test.short -test.failfast "$@"`, binary}
	cmd := exec.CommandContext(ctx, "bash", append(limited, flags...)...)
	cmd.Dir = l.folder
	cmd.Env = append(os.Environ(), "TMPDIR="+scratch)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err := cmd.Run()
	// A test that failed may have left processes of its own behind.
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return timedOut
	case err != nil:
		return killed
	}
	return lived
}

// An outcome is what became of a mutant.
type outcome struct {
	mutant
	verdict verdict
}

func (o outcome) String() string {
	return fmt.Sprintf("%-9s %s:%d %s\n\t- %s\n\t+ %s", o.verdict, o.file, o.line, o.kind, o.before(), strings.TrimSpace(o.after()))
}

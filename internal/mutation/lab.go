package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// A lab runs the tests of one package on mutants of it.
type lab struct {
	folder, scratch string
	order           order
	guarded         string // the binary with all mutants that have a guard
	limit           time.Duration
}

// order says which tests run first, which last and which not at all, by their names.
type order struct{ first, last, skip string }

// newLab compiles the guarded mutants, makes sure that the tests pass while none of them has its turn, and takes three
// times that time as the limit.
func newLab(folder string, mutants []mutant, order order) (*lab, error) {
	scratch, err := os.MkdirTemp("", "mutation")
	if err != nil {
		return nil, err
	}
	check(letPass(scratch))
	l := &lab{folder: folder, scratch: scratch, order: order, limit: 10 * time.Minute}
	files, err := guarded(mutants)
	check(err)
	if l.guarded, err = l.compile(scratch, files); err != nil {
		l.close()
		return nil, err
	}
	start := time.Now()
	if v := l.run(l.guarded, mutant{}); v != lived {
		l.close()
		return nil, fmt.Errorf("the tests of %s without a break: %s", folder, v)
	}
	l.limit = 3*time.Since(start) + 5*time.Second
	return l, nil
}

// letPass lets other users pass through a folder. Tests that root runs may start processes of users without rights.
func letPass(folder string) error { return os.Chmod(folder, 0o711) } //nolint:gosec // nothing secret

// close removes the scratch folder, and with it the binaries of tests that may still run.
func (l *lab) close() { _ = os.RemoveAll(l.scratch) }

// compile compiles the tests of the package with files of another text in place of its own. What the compiler says is the
// error, with the name in it of a file that has a fault.
func (l *lab) compile(scratch string, files map[string][]byte) (binary string, err error) {
	replaced := make(map[string]string)
	for name, text := range files {
		path := filepath.Join(scratch, "mutated_"+name)
		check(os.WriteFile(path, text, 0o600))
		original, err := filepath.Abs(filepath.Join(l.folder, name))
		check(err)
		replaced[original] = path
	}
	text, err := json.Marshal(map[string]any{"Replace": replaced})
	check(err)
	overlay := filepath.Join(scratch, "overlay.json")
	check(os.WriteFile(overlay, text, 0o600))
	binary = filepath.Join(scratch, "pkg.test")
	said, err := exec.CommandContext(context.Background(),
		"go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", binary, l.folder).CombinedOutput()
	if err != nil {
		return "", errors.New(string(said))
	}
	return binary, nil
}

// test runs the tests with the break in the package.
func (l *lab) test(m mutant) verdict {
	if m.guard != nil {
		return l.run(l.guarded, m)
	}
	own, err := os.MkdirTemp(l.scratch, "mutant")
	check(err)
	check(letPass(own))
	defer func() { _ = os.RemoveAll(own) }()
	binary, err := l.compile(own, map[string][]byte{m.file: m.mutated()})
	if err == nil {
		return l.run(binary, m)
	}
	if !strings.Contains(err.Error(), "mutated_"+m.file) {
		// It may be that a test does not compile with the break, and it may be that somebody is at work on the code.
		if _, err := l.compile(own, nil); err != nil {
			return broken
		}
	}
	return notViable
}

// run runs the tests of a binary while the mutant has its turn, and the slow ones only if all others pass.
func (l *lab) run(binary string, m mutant) verdict {
	const nothing = "^$"
	middle := cmp.Or(strings.Join(slices.DeleteFunc([]string{l.order.last, l.order.skip}, isEmpty), "|"), nothing)
	for _, flags := range [][]string{
		{"-test.run", cmp.Or(l.order.first, nothing), "-test.skip", cmp.Or(l.order.skip, nothing)},
		{"-test.skip", middle},
		{"-test.run", cmp.Or(l.order.last, nothing), "-test.skip", cmp.Or(l.order.skip, nothing)},
	} {
		if v := l.runTests(binary, m, flags); v != lived {
			return v
		}
	}
	return lived
}

func isEmpty(s string) bool { return s == "" }

// runTests runs tests in their folder, with at most 8 GiB, since a broken loop can ask for everything there is.
func (l *lab) runTests(binary string, m mutant, flags []string) verdict {
	scratch, err := os.MkdirTemp(l.scratch, "run")
	check(err)
	check(letPass(scratch))
	defer func() { _ = os.RemoveAll(scratch) }()
	ctx, cancel := context.WithTimeout(context.Background(), l.limit)
	defer cancel()
	limited := []string{"-c", `ulimit -v 8388608; exec "$0" -test.short -test.failfast "$@"`, binary}
	cmd := exec.CommandContext(ctx, "bash", append(limited, flags...)...)
	// In a copy of the tree, because broken code may leave files where the next mutant's tests stumble over them.
	tree := filepath.Join(scratch, "tree")
	check(copyTree(tree))
	cmd.Dir = filepath.Join(tree, l.folder)
	cmd.Env = append(os.Environ(), "TMPDIR="+scratch, mutantVariable+"="+m.name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err = cmd.Run()
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

// copyTree copies the working folder, without what is hidden.
func copyTree(to string) error {
	return filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		target := filepath.Join(to, path)
		switch {
		case err != nil:
			return err
		case path != "." && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return os.MkdirAll(target, 0o755) //nolint:gosec // see letPass
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, text, 0o644) //nolint:gosec // see letPass
	})
}

// An outcome is what became of a mutant.
type outcome struct {
	mutant
	verdict verdict
}

func (o outcome) String() string {
	return fmt.Sprintf("%-9s %s:%d %s\n\t- %s\n\t+ %s", o.verdict, o.file, o.line, o.kind, o.before(), strings.TrimSpace(o.after()))
}

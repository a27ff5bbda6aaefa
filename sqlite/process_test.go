package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// The test binary runs itself as another process. This variable has the role that the process plays, a colon, and what
// the role has to work on.
const roleVariable = "PAT_SQLITE_TEST_ROLE"

func TestMain(m *testing.M) {
	role, task, _ := strings.Cut(os.Getenv(roleVariable), ":")
	switch role {
	case "":
		os.Exit(m.Run())
	case "serve":
		serve()
	case "write until killed":
		writeUntilKilled(task)
	case "write and note":
		writeAndNote(task)
	case "open":
		openAndName(task)
	case "open on a full disk":
		signal.Ignore(syscall.SIGXFSZ)
		must(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4096, Max: 4096}))
		openAndName(task)
	default:
		must(errors.New("no such role: " + role))
	}
}

// must ends a process that plays a role, and says why to the test that waits for it.
func must(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

var ctx = context.Background()

// process returns this program in a role, to be started.
func process(t *testing.T, role, task string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	if os.Geteuid() == 0 {
		// The go command puts the program into a folder that only root can enter. A process that runs as nobody finds it
		// by this name nevertheless.
		self = "/proc/self/exe"
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), roleVariable+"="+role+":"+task)
	cmd.Stdout, cmd.Stderr = new(bytes.Buffer), new(bytes.Buffer)
	return cmd
}

// output is everything that a process wrote.
func output(cmd *exec.Cmd) string { return strings.TrimSpace(fmt.Sprint(cmd.Stdout, cmd.Stderr)) }

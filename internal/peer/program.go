package peer

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/patkit/pat"
)

// roleVariable is set in a process that plays a role: the role, a colon, and what the role has to work on.
const roleVariable = "PAT_TEST_ROLE"

// peerRole is the role of a [Peer].
const peerRole = "peer"

// Program is what a test binary can be besides a run of its tests.
type Program struct {
	// Open opens the store that a target names, in the words of the test, and returns with it how it is closed.
	Open func(target string) (store pat.Store, closeStore func() error, err error)
	// Commands are what a peer of this program does besides what every peer does, by name: they take the argument and
	// return the answer, both of one line.
	Commands map[string]func(argument string) (string, error)
	// Roles are what other processes of this program do than a peer, by name. See [Command].
	Roles map[string]func(task string)
}

// Main runs the tests or plays a role, and ends the process. It is what a TestMain calls.
func (p Program) Main(m *testing.M) {
	role, task, plays := strings.Cut(os.Getenv(roleVariable), ":")
	switch play := p.Roles[role]; {
	case !plays:
		os.Exit(m.Run())
	case role == peerRole:
		p.serve()
	case play == nil:
		Must(errors.New("no such role: " + role))
	default:
		play(task)
	}
	os.Exit(0)
}

// Must ends a process that plays a role, and says why to the test that waits for it.
func Must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "failed:", err)
		os.Exit(1)
	}
}

// Command returns this program in a role, to be started. It ends with the test.
func Command(t testing.TB, role, task string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
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

// Output is everything that a process of [Command] wrote.
func Output(cmd *exec.Cmd) string { return strings.TrimSpace(fmt.Sprint(cmd.Stdout, cmd.Stderr)) }

package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/sqlite"
)

// The test binary runs itself as another process, with the role in this variable.
const roleVariable = "PAT_SQLITE_TEST_ROLE"

func TestMain(m *testing.M) {
	role, path, _ := strings.Cut(os.Getenv(roleVariable), " ")
	switch role {
	case "":
		os.Exit(m.Run())
	case "create":
		createUntilFull(path)
	case "revoke":
		revokeEverything(path)
	case "write":
		writeUntilKilled(path)
	case "serve":
		serve()
	case "write-and-note":
		writeAndNote(path)
	case "open":
		openAndName(path)
	case "open-full":
		signal.Ignore(syscall.SIGXFSZ)
		must(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4096, Max: 4096}))
		openAndName(path)
	}
}

func must(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

var ctx = context.Background()

const processLimit = 10

// createUntilFull adds tokens until the limit stops it, and prints how many it added.
func createUntilFull(path string) {
	s, err := sqlite.Open(path, sqlite.WithBusyTimeout(time.Minute))
	must(err)
	issuer, err := pat.NewIssuer(s, pat.Config{GroupLimit: processLimit})
	must(err)
	added := 0
	for ; ; added++ {
		_, err := issuer.Create(ctx, pat.CreateParams{UserID: "user", GroupID: "group", Name: "name"})
		if errors.Is(err, pat.ErrLimitReached) {
			break
		}
		must(err)
	}
	must(s.Close())
	fmt.Println(added)
}

func revokeEverything(path string) {
	s, err := sqlite.Open(path)
	must(err)
	tokens, err := s.RevokeAll(ctx, pat.Owner{GroupID: "group"}, time.Now())
	must(err)
	must(s.Close())
	fmt.Println(len(tokens))
}

// openAndName prints which of the errors that Open speaks of it returns.
func openAndName(path string) {
	s, err := sqlite.Open(path)
	if err == nil {
		must(s.Close())
	}
	for _, class := range []struct {
		name string
		err  error
	}{{"permission", fs.ErrPermission}, {"read-only", syscall.EROFS}, {"too big", syscall.EFBIG}, {"absent", fs.ErrNotExist}} {
		if errors.Is(err, class.err) {
			fmt.Print(class.name, " ")
		}
	}
	fmt.Println(err)
}

// process starts this program in a role.
func process(t *testing.T, role, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	if self, err := os.Executable(); err == nil && os.Geteuid() != 0 {
		cmd = exec.CommandContext(t.Context(), self)
	}
	cmd.Env = append(os.Environ(), roleVariable+"="+role+" "+path)
	cmd.Stdout, cmd.Stderr = new(bytes.Buffer), new(bytes.Buffer)
	return cmd
}

func output(cmd *exec.Cmd) string { return strings.TrimSpace(fmt.Sprint(cmd.Stdout, cmd.Stderr)) }

// Each round is a first start: the file is not there yet. All processes have to come up, and the limit has to hold
// among them.
func TestProcessesThatStartTogetherShareTheFileAndTheLimit(t *testing.T) {
	const rounds, processes = 8, 8
	for range rounds {
		path := filepath.Join(t.TempDir(), "pat.db")
		var started []*exec.Cmd
		for range processes {
			cmd := process(t, "create", path)
			require.NoError(t, cmd.Start())
			started = append(started, cmd)
		}
		total := 0
		for _, cmd := range started {
			require.NoError(t, cmd.Wait(), output(cmd))
			var added int
			_, err := fmt.Sscan(output(cmd), &added)
			require.NoError(t, err)
			total += added
		}
		assert.Equal(t, processLimit, total)
		tokens, err := open(t, path).List(t.Context(), pat.ListQuery{Owner: pat.Owner{GroupID: "group"}, Limit: 100})
		require.NoError(t, err)
		assert.Len(t, tokens, processLimit)
	}
}

func TestARevokeInAnotherProcessIsSeenAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pat.db")
	s := open(t, path)
	tok := create(t, s)
	rec, err := s.FindByPrefix(t.Context(), tok.Prefix)
	require.NoError(t, err)
	require.False(t, rec.Token.Revoked())

	cmd := process(t, "revoke", path)
	require.NoError(t, cmd.Run(), output(cmd))
	require.Equal(t, "1", output(cmd))
	rec, err = s.FindByPrefix(t.Context(), tok.Prefix)
	require.NoError(t, err)
	assert.True(t, rec.Token.Revoked())
}

func TestStoresThatStartTogetherShareTheFile(t *testing.T) {
	for range 10 {
		path := filepath.Join(t.TempDir(), "pat.db")
		results := make(chan error)
		const stores = 8
		for range stores {
			go func() {
				s, err := sqlite.Open(path)
				if err == nil {
					err = s.Close()
				}
				results <- err
			}()
		}
		for range stores {
			require.NoError(t, <-results)
		}
	}
}

func TestFilesAreTheirOwnersAloneWhateverTheUmask(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	for _, umask := range []int{0, 0o022} {
		syscall.Umask(umask)
		path := filepath.Join(t.TempDir(), "pat.db")
		create(t, open(t, path))
		assertPrivate(t, path)
	}
}

func TestAnExistingFileIsTakenFromOthers(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	path := filepath.Join(t.TempDir(), "pat.db")
	made(t, path)
	for _, mode := range []fs.FileMode{0o644, 0o666, 0o660, 0o777} {
		require.NoError(t, os.Chmod(path, mode))
		s, err := sqlite.Open(path)
		require.NoError(t, err)
		assertPrivate(t, path)
		require.NoError(t, s.Close())
	}
}

func assertPrivate(t *testing.T, path string) {
	t.Helper()
	for _, ending := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + ending)
		require.NoError(t, err)
		assert.Equal(t, fs.FileMode(0o600), info.Mode(), "mode of the file with the ending %q", ending)
	}
}

// Modes mean nothing to root, so a process of root's opens the database as nobody.
func TestOpenSaysWhatThePermissionsForbid(t *testing.T) {
	const nobody = 65534
	asRoot := os.Geteuid() == 0
	chmod := func(name string, mode fs.FileMode) func(t *testing.T, folder string) {
		return func(t *testing.T, folder string) { require.NoError(t, os.Chmod(filepath.Join(folder, name), mode)) }
	}
	databaseAndLog := leaveOver(t).files
	database := map[string][]byte{"pat.db": databaseAndLog["pat.db"]}
	for _, c := range []struct {
		name     string
		files    map[string][]byte
		forbid   func(t *testing.T, folder string)
		want     string
		onlyRoot bool // whether only root can make it so
	}{
		{"an empty folder that can't be written to", nil, chmod(".", 0o500), "permission", false},
		{"a folder that can't be written to", database, chmod(".", 0o500), "read-only", false},
		{"a folder that can't be entered", database, chmod(".", 0), "permission", false},
		{"a file that can only be read", database, chmod("pat.db", 0o400), "read-only", false},
		{"a file that can only be read, with a log", databaseAndLog, chmod("pat.db", 0o400), "read-only", false},
		{"a file that can't be read", database, chmod("pat.db", 0), "permission", false},
		{"a log that can only be read", databaseAndLog, chmod("pat.db-wal", 0o400), "read-only", false},
		{"a log that can't be read", databaseAndLog, chmod("pat.db-wal", 0), "permission", false},
		{"a file of somebody else that anyone can write to", database, func(t *testing.T, folder string) {
			require.NoError(t, os.Chown(filepath.Join(folder, "pat.db"), 0, 0))
			chmod("pat.db", 0o666)(t, folder)
		}, "permission", true},
	} {
		if c.onlyRoot && !asRoot {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			writeFolder(t, folder, c.files)
			cmd := process(t, "open", filepath.Join(folder, "pat.db"))
			if asRoot {
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
				require.NoError(t, os.Chmod(filepath.Dir(folder), 0o755)) //nolint:gosec // nobody has to pass through
				require.NoError(t, os.Chown(folder, nobody, nobody))
				for name := range c.files {
					require.NoError(t, os.Chown(filepath.Join(folder, name), nobody, nobody))
				}
			}
			c.forbid(t, folder)
			err := cmd.Run()
			chmod(".", 0o700)(t, folder) // so that it can be read and deleted
			require.NoError(t, err, output(cmd))
			assert.True(t, strings.HasPrefix(output(cmd), c.want+" "), "%s", output(cmd))
			for name, content := range c.files {
				chmod(name, 0o600)(t, folder)
				after, err := os.ReadFile(filepath.Join(folder, name))
				require.NoError(t, err)
				assert.True(t, isShm(name) || bytes.Equal(content, after), "%s is as it was", name)
			}
		})
	}
}

// A limit on the size of files stands in for a disk without room.
func TestOpenSaysThatTheFileCannotGrow(t *testing.T) {
	cmd := process(t, "open-full", filepath.Join(t.TempDir(), "pat.db"))
	require.NoError(t, cmd.Run(), output(cmd))
	assert.True(t, strings.HasPrefix(output(cmd), "too big "), "%s", output(cmd))
}

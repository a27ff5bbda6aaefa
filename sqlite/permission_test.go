package sqlite_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/internal/peer"
	"github.com/patkit/pat/sqlite"
)

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

// openAndName prints which of the errors that Open speaks of it returns.
func openAndName(path string) {
	s, err := sqlite.Open(path)
	if err == nil {
		peer.Must(s.Close())
	}
	for _, class := range []struct {
		name string
		err  error
	}{{"permission", fs.ErrPermission}, {"not the owner", syscall.EPERM}, {"read-only", syscall.EROFS}, {"too big", syscall.EFBIG}, {"absent", fs.ErrNotExist}} {
		if errors.Is(err, class.err) {
			fmt.Print(class.name, " ")
		}
	}
	fmt.Println(err)
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
		}, "permission not the owner", true},
	} {
		if c.onlyRoot && !asRoot {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			writeFolder(t, folder, c.files)
			cmd := peer.Command(t, "open", filepath.Join(folder, "pat.db"))
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
			require.NoError(t, err, peer.Output(cmd))
			assert.True(t, strings.HasPrefix(peer.Output(cmd), c.want+" "), "%s", peer.Output(cmd))
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
	cmd := peer.Command(t, "open on a full disk", filepath.Join(t.TempDir(), "pat.db"))
	require.NoError(t, cmd.Run(), peer.Output(cmd))
	assert.True(t, strings.HasPrefix(peer.Output(cmd), "too big "), "%s", peer.Output(cmd))
}

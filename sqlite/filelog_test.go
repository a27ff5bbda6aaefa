package sqlite_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/internal/peer"
)

// A log of everything that a process does to the files of a folder, and of what it notes meanwhile, in one order.
// testdata/filelog/filelog.c makes it, preloaded into the process, which is why the tests that use it are for Linux
// alone.

const (
	logPathVariable   = "FILELOG_PATH"
	logFolderVariable = "FILELOG_FOLDER"
	// brokenVariable names a file during whose presence nothing can be synced.
	brokenVariable = "FILELOG_BROKEN"
)

type operationKind uint64

const (
	opOpen operationKind = iota + 1
	opWrite
	opTruncate
	opSync
	opUnlink
	opNote // by the process itself
)

// operation is an entry of the log.
type operation struct {
	operationHead
	data []byte // what was written, the path, or the note
}

type operationHead struct {
	Kind                  operationKind
	Inode, Offset, Length uint64 // a truncation's length is in Offset
}

// addNote adds a note to the log of this process.
func addNote(log io.Writer, note string) {
	var entry bytes.Buffer
	peer.Must(binary.Write(&entry, binary.NativeEndian, operationHead{Kind: opNote, Length: uint64(len(note))}))
	entry.WriteString(note)
	_, err := log.Write(entry.Bytes()) // one write, so that nothing comes between
	peer.Must(err)
}

func (op operation) isNote(note string) bool { return op.Kind == opNote && string(op.data) == note }

func readLog(t *testing.T, path string) []operation {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	var ops []operation
	for r := bytes.NewReader(content); r.Len() > 0; {
		var op operation
		require.NoError(t, binary.Read(r, binary.NativeEndian, &op.operationHead))
		op.data = make([]byte, op.Length)
		_, err := io.ReadFull(r, op.data)
		require.NoError(t, err)
		ops = append(ops, op)
	}
	return ops
}

// buildFileLog compiles the library, with the C compiler that has compiled SQLite.
func buildFileLog(t *testing.T) string {
	t.Helper()
	compiler, err := exec.CommandContext(t.Context(), "go", "env", "CC").Output()
	require.NoError(t, err)
	library := filepath.Join(t.TempDir(), "filelog.so")
	args := append(strings.Fields(string(compiler)), "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", library,
		filepath.Join("testdata", "filelog", "filelog.c"), "-ldl", "-lpthread")
	out, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return library
}

// logged runs this program in a role and returns the log of what it does in the folder.
func logged(t *testing.T, library, folder, role, task string) []operation {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	cmd := peer.Command(t, role, task)
	cmd.Env = append(cmd.Env, "LD_PRELOAD="+library, logPathVariable+"="+path, logFolderVariable+"="+folder)
	require.NoError(t, cmd.Run(), peer.Output(cmd))
	return readLog(t, path)
}

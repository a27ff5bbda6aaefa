package sqlite_test

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/peer"
	"github.com/patkit/pat/sqlite"
)

// How many writes a process does before it closes the database, which takes the write-ahead log away, and how many
// after it has opened it again. The latter are enough for SQLite to copy the log into the database (wal_autocheckpoint,
// 1000 pages) and to overwrite it from its beginning.
const writesBeforeClose, writesAfterClose = 50, 450

// writeAndNote does a workload's writes, and notes in the log of operations how far it is.
func writeAndNote(task string) {
	w, n, path := parseTask(task)
	log, err := os.OpenFile(os.Getenv(logPathVariable), os.O_WRONLY|os.O_APPEND, 0) //nolint:gosec // the test's own
	peer.Must(err)
	openAndWrite := func(writes int) *sqlite.Store {
		s, err := sqlite.Open(path)
		peer.Must(err)
		addNote(log, "opened")
		for range writes {
			addNote(log, "begin")
			peer.Must(w.write(s, n))
			addNote(log, "done")
			n++
		}
		return s
	}
	peer.Must(openAndWrite(writesBeforeClose).Close())
	addNote(log, "closed")
	openAndWrite(writesAfterClose)
	os.Exit(0) // without closing it
}

// writeUnsynced does a write that can't be synced, and crashes.
func writeUnsynced(path string) {
	s, err := sqlite.Open(path)
	peer.Must(err)
	rec := workload{}.record(0)
	peer.Must(os.WriteFile(os.Getenv(brokenVariable), nil, 0o600)) //nolint:gosec // the test's own
	if err := s.Insert(ctx, rec, 0); !errors.Is(err, pat.ErrOutcomeUnknown) {
		peer.Must(fmt.Errorf("the write that was not synced: %w", err))
	}
	if _, err := s.FindByPrefix(ctx, rec.Token.Prefix); !errors.Is(err, pat.ErrNotFound) {
		peer.Must(fmt.Errorf("the token that was not synced: %w", err))
	}
	os.Exit(0) // without closing it
}

// recording is what a process did to a database that held the first so many writes of a workload.
type recording struct {
	workload workload
	written  int
	folder   string
	before   map[string][]byte // the files
	ops      []operation
}

// record runs a process. It checks that the log says everything that became of the files.
func record(t *testing.T, library, folder string, w workload, written int) recording {
	t.Helper()
	r := recording{workload: w, written: written, folder: folder, before: readFolder(t, folder)}
	r.ops = logged(t, library, folder, "write and note", w.task(written, filepath.Join(folder, "pat.db")))
	var end moment
	beginnings := 0
	for m := range r.moments() {
		end = m
		if m.last.isNote("closed") {
			beginnings = 0
		}
		if m.last.Kind == opWrite && m.last.Offset == 0 && m.disk.inodes[m.last.Inode] == m.disk.names["pat.db-wal"] {
			beginnings++
		}
	}
	require.GreaterOrEqual(t, beginnings, 2, "the log was begun, and begun anew")
	require.Equal(t, written+writesBeforeClose+writesAfterClose, end.acknowledged)
	seen, simulated := readFolder(t, folder), end.disk.cut(1)
	delete(seen, "pat.db-shm")
	delete(simulated, "pat.db-shm")
	require.True(t, reflect.DeepEqual(seen, simulated), "the log does not say everything")
	return r
}

// moment is a point in a recording.
type moment struct {
	index int
	last  operation // the one with the index
	disk  *disk
	// acknowledged counts the writes that have returned, begun those that have begun, from the workload's start.
	acknowledged, begun int
}

// moments goes through the recording and stops behind each operation.
func (r recording) moments() iter.Seq[moment] {
	return func(yield func(moment) bool) {
		m := moment{disk: newDisk(r.folder, r.before), acknowledged: r.written, begun: r.written}
		for i, op := range r.ops {
			m.index, m.last = i, op
			m.disk.do(op)
			if op.isNote("begin") {
				m.begun++
			}
			if op.isNote("done") {
				m.acknowledged++
			}
			if !yield(m) {
				return
			}
		}
	}
}

// check opens the files that a crash at that moment has left. They have to hold every acknowledged write, and no half
// of one that had begun. It returns how many writes they hold.
func (r recording) check(t *testing.T, m moment, files map[string][]byte) (int, error) {
	t.Helper()
	folder := t.TempDir()
	defer func() { require.NoError(t, os.RemoveAll(folder)) }()
	writeFolder(t, folder, files)
	got, err := contentsOfFile(filepath.Join(folder, "pat.db"))
	if err != nil {
		return 0, err
	}
	for written := m.acknowledged; written <= m.begun; written++ {
		want, err := r.workload.contents(written)
		require.NoError(t, err)
		if reflect.DeepEqual(want, got) {
			return written, nil
		}
	}
	return 0, fmt.Errorf("%d writes were acknowledged and %d had begun, and that is not what is there", m.acknowledged, m.begun)
}

// tempDir returns a folder by its real name, as SQLite will call it.
func tempDir(t *testing.T) string {
	t.Helper()
	folder, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	return folder
}

func readFolder(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	files := make(map[string][]byte)
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, entry := range entries {
		files[entry.Name()], err = os.ReadFile(filepath.Join(folder, entry.Name()))
		require.NoError(t, err)
	}
	return files
}

func replaceFolder(t *testing.T, folder string, files map[string][]byte) {
	t.Helper()
	require.NoError(t, os.RemoveAll(folder))
	require.NoError(t, os.Mkdir(folder, 0o700))
	writeFolder(t, folder, files)
}

func writeFolder(t *testing.T, folder string, files map[string][]byte) {
	t.Helper()
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), content, 0o600))
	}
}

package sqlite_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/testscale"
)

// Sizes in the write-ahead log (https://www.sqlite.org/fileformat2.html#walformat).
const (
	logHeaderSize = 32
	logFrameSize  = 24 + 4096
)

// leftover is what a process leaves that was killed: a database, and a log of writes that are not in it yet.
type leftover struct {
	workload workload
	files    map[string][]byte
	// written says how many writes the database and a log of the length in lengths hold.
	lengths, written []int
}

func leaveOver(t *testing.T) leftover {
	t.Helper()
	const inTheDatabase, inTheLog = 20, 60
	left := leftover{workload: workload{rand.Uint64()}}
	path := filepath.Join(t.TempDir(), "pat.db")
	s := open(t, path)
	for n := range inTheDatabase {
		require.NoError(t, left.workload.write(s, n))
	}
	require.NoError(t, s.Close())
	left.lengths, left.written = []int{0}, []int{inTheDatabase}

	s = open(t, path)
	for n := inTheDatabase; n < inTheDatabase+inTheLog; n++ {
		require.NoError(t, left.workload.write(s, n))
		info, err := os.Stat(path + "-wal")
		require.NoError(t, err)
		left.lengths, left.written = append(left.lengths, int(info.Size())), append(left.written, n+1)
	}
	left.files = readFolder(t, filepath.Dir(path))
	return left
}

// expect returns what has to be there if nothing of the log counts from the given length on.
func (l leftover) expect(t *testing.T, length int) []pat.Record {
	t.Helper()
	last := 0
	for i := range l.lengths {
		if l.lengths[i] <= length {
			last = i
		}
	}
	recs, err := l.workload.contents(l.written[last])
	require.NoError(t, err)
	return recs
}

// somewhere returns a place in the log: at, before or behind the border of a frame, or in one, or in the header.
func (l leftover) somewhere() int {
	size := len(l.files["pat.db-wal"])
	if rand.N(8) == 0 {
		return rand.N(logHeaderSize)
	}
	border := logHeaderSize + rand.N((size-logHeaderSize)/logFrameSize)*logFrameSize
	return border + []int{-1, 0, 1, 8, 24, rand.N(logFrameSize)}[rand.N(6)]
}

// A log that was cut short or damaged counts up to the last write that is whole in it, and the database is sound. That
// is no error: it is also what a crash in the middle of a write leaves, and SQLite can't tell the two apart.
func TestADamagedLogCountsUpToTheDamage(t *testing.T) {
	left := leaveOver(t)
	whole := left.files["pat.db-wal"]
	for name, damage := range map[string]func(log []byte, at int) []byte{
		"a bit is flipped":     func(log []byte, at int) []byte { log[at] ^= 1 << rand.N(8); return log },
		"the end is missing":   func(log []byte, at int) []byte { return log[:at] },
		"the end is garbage":   func(log []byte, at int) []byte { return append(log[:at], garbageUnlike(log[at:])...) },
		"zeros, and then more": func(log []byte, at int) []byte { log[at]++; clear(log[at+1:]); return append(log, log[at:]...) },
	} {
		t.Run(name, func(t *testing.T) {
			for range testscale.Rounds(t, 25, 2500) {
				at := left.somewhere()
				damaged := damage(slices.Clone(whole), at)
				got := contentsOfFiles(t, map[string][]byte{"pat.db": left.files["pat.db"], "pat.db-wal": damaged})
				require.Equal(t, left.expect(t, at), got, "at %d of %d, seed %d", at, len(whole), left.workload.seed)
			}
		})
	}
}

// garbageUnlike returns as many bytes, of which the first one is another, so that the damage begins with it.
func garbageUnlike(original []byte) []byte {
	bytes := garbage(len(original))
	bytes[0] = ^original[0]
	return bytes
}

// The -shm file holds nothing that is not in the log.
func TestNothingInALeftOverShmFileIsBelieved(t *testing.T) {
	left := leaveOver(t)
	whole := left.files["pat.db-shm"]
	for name, shm := range map[string][]byte{
		"as it was": whole, "empty": {}, "cut off": whole[:1000], "garbage": garbage(len(whole)), "zeros": make([]byte, len(whole)),
		"of another database": leaveOver(t).files["pat.db-shm"],
	} {
		t.Run(name, func(t *testing.T) {
			got := contentsOfFiles(t, map[string][]byte{"pat.db": left.files["pat.db"], "pat.db-wal": left.files["pat.db-wal"], "pat.db-shm": shm})
			assert.Equal(t, left.expect(t, len(left.files["pat.db-wal"])), got)
		})
	}
}

// contentsOfFiles returns everything that the store holds if it finds these files, and has them checked.
func contentsOfFiles(t *testing.T, files map[string][]byte) []pat.Record {
	t.Helper()
	folder := t.TempDir()
	defer func() { require.NoError(t, os.RemoveAll(folder)) }()
	writeFolder(t, folder, files)
	recs, err := contentsOfFile(filepath.Join(folder, "pat.db"))
	require.NoError(t, err)
	return recs
}

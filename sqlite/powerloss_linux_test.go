package sqlite_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/testscale"
	"github.com/patkit/pat/memory"
)

// A power cut leaves of what was not synced any part: nothing, everything, or some sectors. A kill -9 shows nothing of
// that, because the operating system writes everything out later. So a real process records what it wrote and synced,
// and here the power is cut at many moments of the recording. The next process goes on with what one cut has left.
func TestWhatWasAcknowledgedSurvivesAPowerCut(t *testing.T) {
	const recordingsPerFile = 4
	library := buildFileLog(t)
	var count struct{ cuts, unsynced, opening, between, undone, done int }
	var folder string
	var w workload
	written := 0
	for round := range testscale.Rounds(t, 1, 100) {
		if round%recordingsPerFile == 0 {
			require.NoError(t, os.RemoveAll(folder))
			folder, w, written = tempDir(t), workload{rand.Uint64()}, 0
		}
		r := record(t, library, folder, w, written)
		cuts := r.chooseCuts()
		survivor := 1 + rand.N(len(cuts))
		for m := range r.moments() {
			if !cuts[m.index] {
				continue
			}
			survival := []float64{0, 0.5, rand.Float64(), 1}[rand.N(4)]
			files := m.disk.cut(survival)
			n, err := r.check(t, m, files)
			require.NoError(t, err, "operation %d of %d, survival %.2f, seed %d", m.index, len(r.ops), survival, w.seed)
			count.cuts++
			if len(m.disk.unsynced()) > 0 {
				count.unsynced++
			}
			switch {
			case m.begun == r.written:
				count.opening++
			case m.begun == m.acknowledged:
				count.between++
			case n == m.acknowledged: // also where the write changes nothing
				count.undone++
			default:
				count.done++
			}
			if survivor--; survivor == 0 {
				replaceFolder(t, folder, files)
				written = n
			}
		}
	}
	t.Logf("%d power cuts, %d of them with something unsynced: %d before the first write, %d between two writes, "+
		"%d in a write that is undone, %d in one that is done", count.cuts, count.unsynced, count.opening, count.between, count.undone, count.done)
	require.NotZero(t, count.unsynced)
}

// chooseCuts returns the indexes of up to 100 operations. Many of them are of the first opening, which has few.
func (r recording) chooseCuts() map[int]bool {
	opening := 0
	for !r.ops[opening].isNote("begin") {
		opening++
	}
	cuts := make(map[int]bool)
	for range 20 {
		cuts[rand.N(opening)] = true
	}
	for range 80 {
		cuts[rand.N(len(r.ops))] = true
	}
	return cuts
}

// The simulation is worth something only if it shows a loss. This is one recording, with some of its syncs left out.
func TestAPowerCutShowsAMissingSync(t *testing.T) {
	whole := record(t, buildFileLog(t), tempDir(t), workload{rand.Uint64()}, 0)
	for _, c := range []struct {
		name     string
		unsynced string
		lost     bool
	}{
		{"nothing left out", "", false},
		{"no sync of the write-ahead log, as with synchronous=NORMAL", "pat.db-wal", true},
		{"no sync of the database", "pat.db", true},
		{"no sync of the folder", ".", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := whole.withoutSyncs(c.unsynced)
			var end moment
			for m := range r.moments() {
				end = m
			}
			_, err := r.check(t, end, end.disk.cut(0))
			assert.Equal(t, c.lost, err != nil, "%v", err)
		})
	}
}

// withoutSyncs returns the recording without the syncs of a file.
func (r recording) withoutSyncs(file string) recording {
	names := make(map[uint64]string)
	var ops []operation
	for _, op := range r.ops {
		if op.Kind == opOpen {
			names[op.Inode], _ = filepath.Rel(r.folder, string(op.data))
		}
		if op.Kind != opSync || names[op.Inode] != file {
			ops = append(ops, op)
		}
	}
	r.ops = ops
	return r
}

// The count of the system calls says it without a model of the disk: a call that changed something has synced before it
// returns, and then nothing is left unsynced.
func TestEveryWriteIsSyncedWhenItReturns(t *testing.T) {
	r := record(t, buildFileLog(t), tempDir(t), workload{1}, 0)
	syncs := 0
	syncsOf := make(map[string][]int)
	returned := func(kind string, m moment) {
		assert.Empty(t, m.disk.unsynced(), "%s, after %d writes", kind, m.acknowledged)
		syncsOf[kind] = append(syncsOf[kind], syncs)
	}
	model, before := memory.New(), []pat.Record{}
	for m := range r.moments() {
		switch {
		case m.last.Kind == opSync:
			syncs++
		case m.last.isNote("begin"):
			syncs = 0
		case m.last.isNote("opened") && m.acknowledged == 0:
			returned("migration", m)
		case m.last.isNote("done"):
			require.NoError(t, r.workload.write(model, m.acknowledged-1))
			after, err := contents(model)
			require.NoError(t, err)
			if !reflect.DeepEqual(before, after) {
				returned(r.workload.kind(m.acknowledged-1), m)
			}
			before = after
		}
	}
	for kind, counts := range syncsOf {
		t.Logf("%s: %d calls, %d to %d syncs each", kind, len(counts), slices.Min(counts), slices.Max(counts))
		assert.Positive(t, slices.Min(counts), kind)
	}
	require.Len(t, syncsOf, 8, "every kind of write has changed something")
}

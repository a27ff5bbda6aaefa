package sqlite_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/peer"
	"github.com/patkit/pat/internal/testscale"
	"github.com/patkit/pat/sqlite"
)

// writeUntilKilled opens a database and does a workload's writes, on and on. It prints a line before it opens, and
// before and after each write.
func writeUntilKilled(task string) {
	w, n, path := parseTask(task)
	fmt.Println("opening")
	s, err := sqlite.Open(path)
	peer.Must(err)
	for ; ; n++ {
		fmt.Println("begin", n)
		peer.Must(w.write(s, n))
		fmt.Println("done", n)
	}
}

// What was acknowledged survives a kill -9, and what was interrupted is undone or done, but not by half. Each process
// opens the file as the one before has left it; the check is made on a copy. From time to time there is a new file.
func TestWhatWasAcknowledgedSurvivesAKill(t *testing.T) {
	const roundsPerFile = 50
	k := killing{openingTakes: 20 * time.Millisecond, writeTakes: time.Millisecond} // until they are measured
	for round := range testscale.Rounds(t, 100, 10_000) {
		if round%roundsPerFile == 0 {
			require.NoError(t, os.RemoveAll(k.folder))
			k.folder, k.workload, k.written = t.TempDir(), workload{rand.Uint64()}, 0
		}
		lines := rand.N(40)
		if round%10 == 0 {
			lines = 0
		}
		k.round(t, lines)
	}
	t.Logf("%d writes acknowledged; killed %d times while opening the file, %d times in a write that is undone, "+
		"%d times in one that is done, %d times between two", k.acknowledged, k.opening, k.undone, k.done, k.between)
	require.NotZero(t, k.acknowledged)
}

// killing is the work on one file, and the count of what became of it on all of them.
type killing struct {
	folder   string
	workload workload
	written  int // how many of its writes are in the file

	openingTakes, writeTakes                     time.Duration // in the last process
	acknowledged, opening, undone, done, between int
}

// round has a process killed once it has printed so many lines about its writes, and checks what is left.
func (k *killing) round(t *testing.T, lines int) {
	t.Helper()
	printed := k.run(t, lines)
	k.acknowledged += printed / 2
	k.written += printed / 2
	want, err := k.workload.contents(k.written)
	require.NoError(t, err)
	got, err := k.contentsOfCopy(t)
	require.NoError(t, err)
	switch interrupted := printed%2 == 1; {
	case printed == 0:
		k.opening++
	case !interrupted:
		k.between++
	case reflect.DeepEqual(want, got): // also where the write changes nothing
		k.undone++
	default:
		k.done++
		k.written++
		want, err = k.workload.contents(k.written)
		require.NoError(t, err)
	}
	require.Equal(t, want, got, "after %d writes of seed %d", k.written, k.workload.seed)
}

// run starts a process, kills it at some moment after it has printed so many lines about its writes, and returns how
// many it has printed in the end.
func (k *killing) run(t *testing.T, lines int) int {
	t.Helper()
	cmd := peer.Command(t, "write until killed", k.workload.task(k.written, filepath.Join(k.folder, "pat.db")))
	cmd.Stdout = nil
	pipe, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var printed []time.Time
	line := ""
	scanner := bufio.NewScanner(pipe)
	for scanner.Scan() {
		line = scanner.Text()
		if len(printed) == lines {
			usual := k.writeTakes
			if lines == 0 {
				usual = k.openingTakes
			}
			time.AfterFunc(rand.N(2*usual+1), func() { _ = cmd.Process.Kill() })
		}
		printed = append(printed, time.Now())
	}
	require.NoError(t, scanner.Err())
	require.EqualError(t, cmd.Wait(), "signal: killed", line)
	if n := len(printed); n > 2 {
		k.openingTakes = printed[1].Sub(printed[0])
		k.writeTakes = printed[n-1].Sub(printed[1]) / time.Duration(n/2)
	}
	return len(printed) - 1
}

func (k *killing) contentsOfCopy(t *testing.T) ([]pat.Record, error) {
	t.Helper()
	folder := t.TempDir()
	defer func() { require.NoError(t, os.RemoveAll(folder)) }()
	require.NoError(t, os.CopyFS(folder, os.DirFS(k.folder)))
	if rand.N(2) == 0 {
		require.NoError(t, os.RemoveAll(filepath.Join(folder, "pat.db-shm")))
	}
	return contentsOfFile(filepath.Join(folder, "pat.db"))
}

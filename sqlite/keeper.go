package sqlite

import (
	"context"
	"database/sql/driver"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mattn/go-sqlite3"
)

const (
	// keepFor is for how long a lock is kept.
	keepFor = 5 * time.Millisecond
	// keepFrom is how many look-ups in that time make it less work to keep the lock than to take it for each of them.
	keepFrom = 32
	// foldsSoon is the length of the log, in pages, from which no lock is kept before all of it is in the file. A commit
	// tries to fold it from 1,000 on (https://www.sqlite.org/c3ref/wal_autocheckpoint.html).
	foldsSoon = 900
)

// keeper keeps the lock that each look-up takes, while there are many of them.
//
// A reader locks the state of the write-ahead log that it reads, and unlocks it behind its last row: two system calls,
// and more than a third of a look-up. SQLite asks the system only for the first lock that a process has on a state, and
// gives back the last. So while one connection more reads the newest state, the others pay nothing for their locks. All
// else is as ever for them: each looks for the newest state in the log first, and locks that one.
//
// What is locked holds up those who fold the log into the file, of whatever process. They try it at a commit, and get as
// far as the oldest state that is locked: were there always one, the log would grow without end
// (https://www.sqlite.org/wal.html#avoiding_excessively_large_wal_files). So no lock is kept while the log is long and
// not in the file, which is when it is folded. Where all of it is in the file, a lock does not keep it from being begun
// anew. A lock is kept for milliseconds and then taken on what is newest, and not right after a change, as others often
// follow.
type keeper struct {
	lookUps atomic.Uint64
	counted atomic.Uint64 // of them, up to the last turn
	running atomic.Bool   // a turn is to come

	mu      sync.Mutex
	session *session
	ofLog   stmt // reads its state, and locks nothing
	reading stmt // locks the newest state as long as it is not at its end
	kept    driver.Rows
	seen    [3]driver.Value // the state of the log at the last turn
	stopped bool
}

// canKeep reports whether a keeper does any good, and no harm.
func canKeep() bool {
	// On Windows each connection asks the system for a lock of its own (winShmSystemLock). An older SQLite, to which a
	// program may be linked, may take the word in newKeeper that it doesn't know for another kind of checkpoint.
	const writtenWith = 3_054_001
	_, version, _ := sqlite3.Version()
	return runtime.GOOS != "windows" && version >= writtenWith
}

// newKeeper returns a keeper that has the connection for itself.
func newKeeper(c *session) (*keeper, error) {
	p := preparer{session: c}
	return &keeper{
		session: c,
		ofLog:   p.prepare("PRAGMA wal_checkpoint(NOOP)"),
		reading: p.prepare("PRAGMA data_version"),
	}, p.err
}

// lookUp counts a look-up. A nil keeper keeps nothing.
func (k *keeper) lookUp() {
	if k == nil {
		return
	}
	if n := k.lookUps.Add(1); n%keepFrom == 0 && k.running.CompareAndSwap(false, true) {
		k.counted.Store(n) // what was before took who knows how long
		time.AfterFunc(keepFor, k.turn)
	}
}

func (k *keeper) turn() {
	if k.renew() {
		time.AfterFunc(keepFor, k.turn)
	} else {
		k.running.Store(false)
	}
}

// renew gives the lock back, and takes it anew if that is worth it. It reports false where there is to be no next turn,
// while there are few look-ups.
func (k *keeper) renew() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.release()
	now := k.lookUps.Load()
	few := now-k.counted.Swap(now) < keepFrom
	if few || k.stopped {
		return false
	}
	if k.hindersNobody() {
		k.keep()
	}
	return true
}

// hindersNobody reports whether a lock may be kept up to the next turn.
func (k *keeper) hindersNobody() bool {
	var state [len(k.seen)]driver.Value
	if err := k.session.first(state[:], k.ofLog); err != nil {
		return false
	}
	same := state == k.seen
	k.seen = state
	length, inFile := state[1], state[2]
	pages, _ := length.(int64)
	return same && (pages < foldsSoon || length == inFile)
}

// keep takes the lock. If it can't, that is no error of anybody's.
func (k *keeper) keep() {
	rows, err := k.session.query(context.Background(), k.reading)
	if err != nil {
		return
	}
	k.kept = rows
	var version [1]driver.Value
	if err := rows.Next(version[:]); err != nil {
		k.release()
	}
}

func (k *keeper) release() {
	if k.kept != nil {
		_ = k.kept.Close() // which repeats an error that keep has had
		k.kept = nil
	}
}

// stop gives the lock back for good.
func (k *keeper) stop() {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.release()
	k.stopped = true
}

package sqlite

import (
	"context"
	"database/sql/driver"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// keepFor is for how long a lock is kept.
	keepFor = 5 * time.Millisecond
	// keepFrom is how many look-ups in that time make it less work to keep the lock than to take it for each of them.
	keepFrom = 32
	// restOnce in so many times the lock is not kept.
	restOnce = 8
)

// keeper keeps the lock that each look-up takes, while there are many of them.
//
// A reader locks the state of the write-ahead log that it reads, and unlocks it behind its last row: two system calls,
// and more than a third of a look-up. SQLite asks the system only for the first lock that a process has on a state, and
// gives back the last. So while one connection more reads the newest state, the others pay nothing for their locks. All
// else is as ever for them: each looks for the newest state in the log first, and locks that one.
//
// What is locked holds up those who fold the log into the file and begin it anew, of whatever process. They try it at a
// commit, and get as far as the oldest state that is locked: were there always one, the log would grow without end
// (https://www.sqlite.org/wal.html#avoiding_excessively_large_wal_files). So a lock is kept for milliseconds and taken
// anew, on what is newest then; not where something has changed, since more changes often follow; and once in a while,
// by chance, not at all. At each commit there is a chance that none is kept.
type keeper struct {
	lookUps atomic.Uint64
	counted atomic.Uint64 // of them, up to the last turn
	running atomic.Bool   // a turn is to come

	mu      sync.Mutex
	session *session
	version stmt
	kept    driver.Rows // of a statement that is not at its end, which is what locks; or nil
	seen    driver.Value
	stopped bool
}

// newKeeper returns a keeper that has the connection for itself.
func newKeeper(c *session) (*keeper, error) {
	// A number that is another after each commit of another connection.
	version, err := c.prepare("PRAGMA data_version")
	return &keeper{session: c, version: version}, err
}

// lookUp counts a look-up. Nil keeps nothing, for a database that only one connection can see.
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
	if changed := k.keep(); changed || rand.N(restOnce) == 0 { //nolint:gosec // nothing secret
		k.release()
	}
	return true
}

// keep takes the lock, and reports whether something has changed since it did so before. If it can't have the lock,
// that is no error of anybody's.
func (k *keeper) keep() (changed bool) {
	rows, err := k.session.query(context.Background(), k.version)
	if err != nil {
		return true
	}
	k.kept = rows
	var version [1]driver.Value
	err = rows.Next(version[:])
	changed = err != nil || version[0] != k.seen
	k.seen = version[0]
	return changed
}

func (k *keeper) release() {
	if k.kept != nil {
		_ = k.kept.Close() // which repeats an error of keep
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

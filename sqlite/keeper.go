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
	// shortLog is how many pages a log has that nobody folds yet. By default a commit tries to from 1,000 on
	// (https://www.sqlite.org/c3ref/wal_autocheckpoint.html), and it may have many pages itself.
	shortLog = 900
)

// keeper keeps the lock that each look-up takes, while there are many of them.
//
// A reader locks the state of the write-ahead log that it reads, and unlocks it behind its last row: two system calls,
// and about a third of a look-up (BenchmarkLookUp). SQLite asks the system only for the first lock that a process has
// on a state, and gives back the last. So while one connection more reads the newest state, the others pay nothing for
// their locks. All else is as ever for them: each looks for the newest state in the log first, and locks that one.
//
// What is locked holds up those who fold the log into the file, of whatever process. They try it at a commit, and get
// as far as the oldest state that is locked: were there always one, the log would grow without end
// (https://www.sqlite.org/wal.html#avoiding_excessively_large_wal_files). So a lock is kept for milliseconds and then
// taken on what is newest; not right after a change, as others often follow; not while the log is so long that it is
// folded at the next commit; and not while a part of it is in the file, which is where somebody was held up. Where all
// of it is in the file, a lock that is taken then does not keep it from being begun anew.
type keeper struct {
	lookUps atomic.Uint64
	counted atomic.Uint64 // of them, up to the last turn
	turnDue atomic.Bool   // a timer runs

	mu      sync.Mutex
	session *session
	ofLog   stmt // reads its state, and locks nothing
	newest  stmt // locks the newest state as long as it is not at its end
	kept    driver.Rows
	seen    logState // at the last turn
	stopped bool
}

// logState is how long the log is, in pages, and how many of them are in the file. It can't be read while a writer that
// was stopped in the middle holds everybody up; then busy is 1.
type logState struct{ busy, pages, inFile int64 }

// mayBeLocked reports whether a lock would hold nobody up who folds the log.
func (s logState) mayBeLocked() bool {
	return s.busy == 0 && (s.pages == s.inFile || s.inFile == 0 && s.pages < shortLog)
}

// openKeeper returns a keeper with a connection of its own, or nil where it would do no good, or harm.
func openKeeper(all *connections, file *databaseFile, settings options) (*keeper, error) {
	if _, version, _ := sqlite3.Version(); !canKeep(runtime.GOOS, version) {
		return nil, nil
	}
	sessions, err := all.connect(newConnector(file, roleKeeper, settings), 1)
	if err != nil {
		return nil, err
	}
	p := preparer{session: sessions[0]}
	return &keeper{
		session: sessions[0],
		ofLog:   p.prepare("PRAGMA wal_checkpoint(NOOP)"),
		newest:  p.prepare("PRAGMA data_version"),
	}, p.err
}

func canKeep(system string, version int) bool {
	// On Windows each connection has a handle of its own for its locks (winShmLock), but for network volumes. An SQLite
	// that does not know NOOP, to which a program may be linked, takes it for PASSIVE, and would fold the log.
	const testedFrom = 3_054_001
	return system != "windows" && version >= testedFrom
}

// count counts a look-up, and sees to it once in a while that a turn is to come. A nil keeper keeps nothing.
func (k *keeper) count() {
	if k == nil {
		return
	}
	if n := k.lookUps.Add(1); n%keepFrom == 0 && k.turnDue.CompareAndSwap(false, true) {
		k.counted.Store(n) // the others may be hours old
		time.AfterFunc(keepFor, k.turn)
	}
}

func (k *keeper) turn() {
	if k.renew() {
		time.AfterFunc(keepFor, k.turn)
	} else {
		k.turnDue.Store(false)
	}
}

// renew gives the lock back, and takes it anew if that is worth it and hinders nobody. It reports false where there is
// to be no next turn, while there are few look-ups.
func (k *keeper) renew() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.release()
	now := k.lookUps.Load()
	few := now-k.counted.Swap(now) < keepFrom
	if few || k.stopped {
		return false
	}
	log, err := k.log()
	if err == nil && log == k.seen && log.mayBeLocked() {
		k.keep()
	}
	k.seen = log
	return true
}

func (k *keeper) log() (logState, error) {
	var row [3]driver.Value
	err := k.session.first(row[:], k.ofLog)
	var log logState
	for i, column := range []*int64{&log.busy, &log.pages, &log.inFile} {
		*column, _ = row[i].(int64)
	}
	return log, err
}

// keep takes the lock. If it can't, that is no error of anybody's.
func (k *keeper) keep() {
	rows, err := k.session.query(context.Background(), k.newest)
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

// stop gives the lock back for good. A turn that is yet to come must not touch the connection, which is going to be
// closed: the driver would crash.
func (k *keeper) stop() {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.release()
	k.stopped = true
}

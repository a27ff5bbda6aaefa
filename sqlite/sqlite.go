// Package sqlite keeps tokens in an SQLite database: the [pat.Store] for one machine, also where several processes on
// it share the file.
//
// A write has reached the disk when its method returns (write-ahead log, synchronous=FULL). Writes that wait for one
// another share a transaction and its sync, each with an outcome of its own. Where the sync itself fails, that outcome is
// [pat.ErrOutcomeUnknown].
//
// The database file and the two beside it (-wal, -shm) are readable by their owner alone. All of the library's tables
// and indexes begin with pat_, so that a host may keep tables of its own in the same file. The file must be on a local
// disk: SQLite's write-ahead log does not work over a network. It is mapped into memory for reading, see [WithoutMmap].
//
// While there are many look-ups, the store keeps a lock that each of them would take, for some 5 ms at a time, and
// longer where the process does not get the processor, or has too much to do. A checkpoint of another program right
// after a commit, or a RESTART or TRUNCATE one at any time, then needs a busy timeout, of which a tenth of a second is
// plenty; without one it often fails, as it may under any steady reading. A PASSIVE one, which does not wait, leaves the
// rest to the next. While a process is stopped (SIGSTOP, or a frozen container) others read and write on, but the -wal
// file grows until it goes on or ends.
//
// It is built on github.com/mattn/go-sqlite3, which it calls without database/sql in between, and needs cgo. Importing
// it registers the driver's name, sqlite3, with database/sql, and does nothing else.
package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"sync"
	"time"

	"github.com/patkit/pat"
)

// Store is a [pat.Store] in an SQLite database. It is safe for concurrent use. Make it with [Open].
type Store struct {
	busyTimeout time.Duration
	// writer has one session. In a database in memory, which only one connection can see, readers is the same pool.
	writer  *pool
	readers *pool
	queue   queue   // for the writer
	keeper  *keeper // nil for a database in memory, and where it would do no good
	closed  chan struct{}
	close   func() error
}

var _ pat.Store = (*Store)(nil)

// Option changes how [Open] works.
type Option func(*options)

type options struct {
	busyTimeout time.Duration
	unmapped    bool
}

const (
	defaultBusyTimeout = 5 * time.Second
	maxBusyTimeout     = math.MaxInt32 * time.Millisecond // an int of SQLite
)

// WithBusyTimeout sets how long Open and the methods wait for another process that holds the database's lock. The
// default is five seconds. A context that ends earlier ends the wait of a writing method earlier.
func WithBusyTimeout(d time.Duration) Option {
	return func(o *options) { o.busyTimeout = d }
}

// WithoutMmap has the database read by system calls alone. By default its file is mapped into memory for reading, which
// makes a verification quicker (docs/performance.md has the figures). A disk that can't be read, or a program other than
// SQLite that cuts the file off, then ends the process (SIGBUS), where it is an error of the call without the map.
//
// There is a map for each connection that reads, four or as many as GOMAXPROCS. They share their pages, but the resident
// size of the process counts the file once for each, and so do limits on its address space. Use this option under such
// a limit, and on 32 bits.
func WithoutMmap() Option { return func(o *options) { o.unmapped = true } }

// Open opens the database at path, makes it if it isn't there, and brings its schema up to date. The folder has to
// exist. The path ":memory:" means a new database in memory, which ends with Close.
//
// A new file gets the mode 0600; on one that others may read or write, their rights are taken away. Several
// processes may open the same file at once, also the first time.
//
// Its errors match [ErrNotADatabase], [ErrNewerSchema], [pat.ErrCorrupt] for a damaged or truncated file, or
// the system's: fs.ErrNotExist where there is no such folder, syscall.EISDIR, fs.ErrPermission, syscall.EROFS for a
// file that can only be read, and syscall.ENOSPC where the disk is full. They don't hold the path.
func Open(path string, opts ...Option) (*Store, error) {
	settings := options{busyTimeout: defaultBusyTimeout}
	for _, opt := range opts {
		opt(&settings)
	}
	if path == "" {
		return nil, errors.New("sqlite: open: path must not be empty")
	}
	if settings.busyTimeout < time.Millisecond || settings.busyTimeout > maxBusyTimeout {
		return nil, fmt.Errorf("sqlite: open: the busy timeout must be from 1ms to %v", maxBusyTimeout)
	}
	s, err := open(path, settings)
	if err != nil {
		return nil, fault("open", err)
	}
	return s, nil
}

// Close waits for the calls in progress, and for those that wait for their turn to write. Then it closes the database
// and, if no other process has it open, folds the write-ahead log into the database file. Calls that come later fail
// with an error that matches fs.ErrClosed. Closing again is harmless and returns the same.
func (s *Store) Close() error {
	if s.close == nil { // not made by Open
		return nil
	}
	return s.close()
}

// errClosed is none of the sentinels of package pat: a closed store can't tell whether a token exists.
var errClosed = fmt.Errorf("the store is closed: %w", fs.ErrClosed)

// closer returns the function that closes the store, once.
func (s *Store) closer(all *connections) func() error {
	return sync.OnceValue(func() error {
		close(s.closed)
		s.queue.close()
		s.drainQueue()
		s.writer.drain()
		if s.readers != s.writer {
			s.readers.drain()
		}
		s.keeper.stop() // before its connection is closed
		if err := all.close(); err != nil {
			return fault("close", err)
		}
		return nil
	})
}

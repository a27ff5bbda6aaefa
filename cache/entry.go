package cache

import (
	"sync/atomic"
	"time"

	"github.com/patkit/pat"
)

// entry is a record that was read from the store, or, in the table of the absent, a prefix alone.
type entry struct {
	rec  pat.Record // never written to
	hash uint64
	read instant // when reading began: it holds what was acknowledged before
	// session is the one in which reading began, so that all later changes are reported, or 0 if there was none.
	session uint64
	// lastUsed replaces the record's, where a later one was written through this Store. It is written under Store.mu.
	lastUsed atomic.Pointer[time.Time]
	// wanted is set by a hit, and taken back by the search for something to displace.
	wanted atomic.Bool
	absent bool
}

func (e *entry) prefix() string { return e.rec.Token.Prefix }

// fill copies the record to rec, which is zero. It is on the path of every verification.
func (e *entry) fill(rec *pat.Record) {
	*rec = e.rec
	if at := e.lastUsed.Load(); at != nil {
		rec.Token.LastUsedAt = *at
	}
	if !e.wanted.Load() { // mostly it is, and a write would take the cache line from other cores
		e.wanted.Store(true)
	}
}

// use moves the last use forward. The caller holds Store.mu.
func (e *entry) use(at time.Time) {
	last := e.rec.Token.LastUsedAt
	if later := e.lastUsed.Load(); later != nil {
		last = *later
	}
	if at.After(last) {
		e.lastUsed.Store(&at)
	}
}

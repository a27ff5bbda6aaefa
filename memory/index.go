package memory

import (
	"hash/maphash"
	"sync/atomic"
)

// index finds entries by a string key. It is a hash table with open addressing that any number of goroutines read, without
// a lock and without writing to shared memory, while one goroutine writes.
//
// A slot goes from empty to an entry and, when that is removed, to gone; it never takes another entry. When too few are
// empty, the writer fills a new table and puts it in the place of the old one. Readers that are still in the old one see what was
// there when they began.
type index struct {
	seed  maphash.Seed
	key   func(*entry) string
	table atomic.Pointer[table]
	live  int // entries; the writer's
	used  int // slots that are not empty; the writer's
}

type table struct{ slots []slot } // a power of two of them

type slot struct {
	hash  uint64 // written before entry is, so that it can be read once entry has been
	entry atomic.Pointer[entry]
}

// gone marks the slot of an entry that was removed. The search for another one must not end there.
var gone = new(entry)

const minSlots = 8

func (x *index) init(seed maphash.Seed, key func(*entry) string) {
	x.seed, x.key = seed, key
	x.table.Store(&table{slots: make([]slot, minSlots)})
}

// find returns the entry with this key, or nil. It doesn't keep the key.
func (x *index) find(key string) *entry {
	hash := maphash.String(x.seed, key)
	slots := x.table.Load().slots
	for i := hash; ; i++ {
		s := &slots[i&uint64(len(slots)-1)]
		e := s.entry.Load()
		if e == nil {
			return nil
		}
		if s.hash == hash && e != gone && x.key(e) == key {
			return e
		}
	}
}

// add adds an entry whose key is not there yet.
func (x *index) add(e *entry) {
	t := x.table.Load()
	// At three quarters, a search that finds nothing looks at eight slots on average (Knuth 6.4), which is two cache lines.
	if 4*(x.used+1) > 3*len(t.slots) {
		t = x.rebuild(t)
	}
	t.add(maphash.String(x.seed, x.key(e)), e)
	x.live++
	x.used++
}

func (t *table) add(hash uint64, e *entry) {
	for i := hash; ; i++ {
		s := &t.slots[i&uint64(len(t.slots)-1)]
		if s.entry.Load() == nil {
			s.hash = hash
			s.entry.Store(e)
			return
		}
	}
}

// rebuild moves the living entries to a new table that they fill to half at most.
func (x *index) rebuild(old *table) *table {
	size := minSlots
	for size < 2*x.live {
		size *= 2
	}
	t := &table{slots: make([]slot, size)}
	for i := range old.slots {
		s := &old.slots[i]
		if e := s.entry.Load(); e != nil && e != gone {
			t.add(s.hash, e)
		}
	}
	x.used = x.live
	x.table.Store(t)
	return t
}

// remove takes out an entry that is there.
func (x *index) remove(e *entry) {
	hash := maphash.String(x.seed, x.key(e))
	slots := x.table.Load().slots
	for i := hash; ; i++ {
		if s := &slots[i&uint64(len(slots)-1)]; s.entry.CompareAndSwap(e, gone) {
			x.live--
			return
		}
	}
}

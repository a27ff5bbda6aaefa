package memory

import (
	"hash/maphash"
	"sync/atomic"
)

// index finds entries by a string key. It is a hash table with open addressing that any number of goroutines read,
// without a lock and without writing to shared memory, while one goroutine writes.
//
// A slot goes from empty to an entry and, when that is removed, to gone; it never takes another entry. When too few
// are empty, the writer fills a new table and puts it in the place of the old one. Readers that are still in the old
// one see what was there when they began.
type index struct {
	seed  maphash.Seed
	byID  bool // the key is the id, and not the prefix: a question, where a function would be called for each look-up
	table atomic.Pointer[table]
	live  int // entries; the writer's
	used  int // slots that are not empty; the writer's
}

type table struct {
	entries []atomic.Pointer[entry] // a power of two of them
	// tags has eight bits of each entry's hash, so that a search looks at few entries but its own; each is a cache line
	// to fetch. A tag is written before its entry is, and never again, so that it can be read once the entry has been.
	tags []uint8
}

func newTable(slots int) *table {
	return &table{entries: make([]atomic.Pointer[entry], slots), tags: make([]uint8, slots)}
}

// tagOf takes the bits that don't choose the slot.
func tagOf(hash uint64) uint8 { return uint8(hash >> 56) }

// gone marks the slot of an entry that was removed. The search for another one must not end there.
var gone = new(entry)

const minSlots = 8

func (x *index) init(seed maphash.Seed, byID bool) {
	x.seed, x.byID = seed, byID
	x.table.Store(newTable(minSlots))
}

func (x *index) key(e *entry) string {
	if x.byID {
		return e.id()
	}
	return e.prefix()
}

// find returns the entry with this key, or nil. It doesn't keep the key.
func (x *index) find(key string) *entry {
	hash := maphash.String(x.seed, key)
	t := x.table.Load()
	for i := hash; ; i++ {
		i &= uint64(len(t.entries) - 1)
		e := t.entries[i].Load()
		if e == nil {
			return nil
		}
		if t.tags[i] == tagOf(hash) && e != gone && x.key(e) == key {
			return e
		}
	}
}

// decoySearch bounds the search for a decoy in a table that a purge has left nearly empty.
const decoySearch = 64

// decoy returns an entry that lies near to where one with this key would be, or nil if there is none near.
func (x *index) decoy(key string) *entry {
	t := x.table.Load()
	first := maphash.String(x.seed, key)
	for i := range uint64(decoySearch) {
		if e := t.entries[(first+i)&uint64(len(t.entries)-1)].Load(); e != nil && e != gone {
			return e
		}
	}
	return nil
}

// add adds an entry whose key is not there yet.
func (x *index) add(e *entry) {
	t := x.table.Load()
	// At three quarters, a search that finds nothing looks at eight slots on average (Knuth 6.4), which is one cache
	// line or two.
	if 4*(x.used+1) > 3*len(t.entries) {
		t = x.rebuild(t)
	}
	t.add(maphash.String(x.seed, x.key(e)), e)
	x.live++
	x.used++
}

func (t *table) add(hash uint64, e *entry) {
	for i := hash; ; i++ {
		i &= uint64(len(t.entries) - 1)
		if t.entries[i].Load() == nil {
			t.tags[i] = tagOf(hash)
			t.entries[i].Store(e)
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
	t := newTable(size)
	for i := range old.entries {
		if e := old.entries[i].Load(); e != nil && e != gone {
			t.add(maphash.String(x.seed, x.key(e)), e)
		}
	}
	x.used = x.live
	x.table.Store(t)
	return t
}

// remove takes out an entry that is there.
func (x *index) remove(e *entry) {
	entries := x.table.Load().entries
	for i := maphash.String(x.seed, x.key(e)); ; i++ {
		if entries[i&uint64(len(entries)-1)].CompareAndSwap(e, gone) {
			x.live--
			return
		}
	}
}

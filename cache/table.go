package cache

import (
	"iter"
	"math/bits"
	"sync/atomic"
)

// ways is the size of a set: with the tags it fills a cache line of 64 bytes.
const ways = 7

// table holds a bounded number of entries. Any number of goroutines read it, without a lock and without writing to
// shared memory, while one writes. The hash of its prefix gives an entry one set, in which it may have any place.
type table struct{ sets []set }

type set struct {
	// tags has 8 bits of the hash of each slot's entry, so that a search looks at no other entry but its own; each is a
	// cache line to fetch. The topmost byte is the slot at which the search for a victim goes on. A tag that a reader sees
	// too early or too late only hides an entry for a moment; what is there and what isn't, the slots say.
	tags  atomic.Uint64
	slots [ways]atomic.Pointer[entry]
}

func newTable(entries int) table { return table{make([]set, (entries+ways-1)/ways)} }

// set returns the set for a hash, by its upper bits. Tags are made of the lower ones.
func (t *table) set(hash uint64) *set {
	i, _ := bits.Mul64(hash, uint64(len(t.sets)))
	return &t.sets[i]
}

// find returns the entry of this prefix, or nil. It doesn't keep the prefix.
func (t *table) find(hash uint64, prefix string) *entry {
	s := t.set(hash)
	tags := s.tags.Load()
	for i := range s.slots {
		if uint8(tags>>(8*i)) == uint8(hash) {
			if e := s.slots[i].Load(); e != nil && e.hash == hash && e.prefix() == prefix {
				return e
			}
		}
	}
	return nil
}

// put adds an entry whose prefix is not there, and returns the one that it displaced, or nil.
func (t *table) put(e *entry) (displaced *entry) {
	s := t.set(e.hash)
	i := s.free()
	displaced = s.slots[i].Load()
	const hand = 8 * ways
	tags := s.tags.Load()
	tags = tags&^(0xff<<(8*i)|0xff<<hand) | uint64(uint8(e.hash))<<(8*i) | uint64((i+1)%ways)<<hand
	s.tags.Store(tags)
	s.slots[i].Store(e)
	return displaced
}

// free returns the slot to put an entry: an empty one, or the next that nobody has wanted since the last search came
// by (the CLOCK algorithm).
func (s *set) free() int {
	for i := range s.slots {
		if s.slots[i].Load() == nil {
			return i
		}
	}
	first := int(s.tags.Load() >> (8 * ways))
	for n := range ways {
		i := (first + n) % ways
		if !s.slots[i].Load().wanted.Swap(false) {
			return i
		}
	}
	return first
}

// remove takes out an entry that is there.
func (t *table) remove(e *entry) {
	s := t.set(e.hash)
	for i := range s.slots {
		if s.slots[i].CompareAndSwap(e, nil) {
			return
		}
	}
}

// all returns the entries. They may be removed meanwhile.
func (t *table) all() iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		for i := range t.sets {
			for n := range t.sets[i].slots {
				if e := t.sets[i].slots[n].Load(); e != nil && !yield(e) {
					return
				}
			}
		}
	}
}

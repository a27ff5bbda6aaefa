// Package memory keeps tokens in the memory of the process. It is for unit tests, and for small services that can
// afford to lose all tokens when they stop: nothing is written to disk.
//
// Verifying reads without a lock, so that it scales with the number of cores. A token takes about 300 bytes of heap.
package memory

import (
	"hash/maphash"
	"sync"

	"github.com/patkit/pat"
)

// Store is a [pat.Store] in process memory. It is safe for concurrent use. Make it with [New].
type Store struct {
	// Both indexes are read without mu and written under it.
	byPrefix index
	byID     index

	mu     sync.Mutex
	users  owners
	groups owners
	sweep  int // where the next Purge goes on looking
}

var _ pat.Store = (*Store)(nil)

// New returns an empty Store. It needs no closing.
func New() *Store {
	s := &Store{users: make(owners), groups: make(owners)}
	seed := maphash.MakeSeed() // of its own, so that nobody can choose ids that collide
	s.byPrefix.init(seed, false)
	s.byID.init(seed, true)
	return s
}

// Package cache keeps the records of recently verified tokens in the memory of the process, in front of a [pat.Store]
// that is further away. It is a [pat.Store] itself:
//
//	store, err := cache.New(database)
//	go store.Run(ctx) // hear of changes as they happen, where the database can tell of them
//	verifier, err := pat.NewVerifier(store, config)
//	issuer, err := pat.NewIssuer(store, config)
//
// # The promise
//
// After Revoke, RevokeAll, Rotate or a change of owner was acknowledged anywhere, no verification that starts more than
// the maximum staleness later succeeds in this process. It is a second unless [WithMaxStaleness] says otherwise, and it
// holds while this process is cut off from the database, too. What is written through the Store itself is seen by every
// call that starts later, as with any store.
//
// It rests on a lease. A record is served only for as long as the maximum staleness after it was read, or after the
// moment up to which the database is known to have reported every change. While [Store.Run] follows a
// [pat.ChangeFeed], that moment moves on all the time, so that records stay, and what others revoke is usually gone
// within milliseconds. Without a feed each record is read again once it is older than the maximum staleness. When the
// database is gone, tokens that are held verify until their lease ends; then a verification fails with the error of the
// database, and not as invalid.
//
// LastUsedAt, and a digest that was replaced, are not told of by a feed. What other processes have written of these is
// seen within ten minutes, or within the maximum staleness if that is longer, as long as the feed is heard.
//
// # What is held
//
// Records, digests included, and never a value or a verdict: every verification hashes the presented value and
// compares. Unknown prefixes are remembered for at most a second, in a space of their own, so that made-up
// values displace no token. How long a verification takes tells whether the prefix was asked for of late.
package cache

import (
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patkit/pat"
)

// Store is a [pat.Store] that holds records of another one. It is safe for concurrent use. Make it with [New]. It needs
// no closing, and does not close the other one.
type Store struct {
	store       pat.Store
	staleness   time.Duration
	onFeedError func(error)
	seed        maphash.Seed
	clock       clock
	counts      counts

	proven    atomic.Pointer[proof] // nil until a feed has begun
	following atomic.Bool

	// Both tables are read without mu and written under it.
	records table
	absent  table

	mu      sync.Mutex
	byID    map[string]*entry // of records
	fetches map[string]*fetch // by prefix, those that others may join
}

var _ pat.Store = (*Store)(nil)

// Option changes how a [Store] works.
type Option func(*options)

type options struct {
	staleness   time.Duration
	entries     int
	onFeedError func(error)
}

const (
	defaultStaleness = time.Second
	minStaleness     = 10 * time.Millisecond
	maxStaleness     = time.Hour
	defaultEntries   = 100_000
	maxEntries       = 1 << 28
	// absentEntries is enough for the clients that a service has which present one and the same wrong value again and
	// again. It is no defence against values that are all different: each of these is one look-up in the database.
	absentEntries = 4096
	// absentStaleness bounds for how long a prefix is taken for absent, whatever the maximum staleness is: a host that
	// lets tokens live on without a database does not want new ones to be refused for as long.
	absentStaleness = time.Second
	// maxPrefixLength is that of a prefix that a token can have. Anything may be asked for, and what is longer would take
	// memory and save nothing.
	maxPrefixLength = 128 // bytes
	// maxAge bounds how old a LastUsedAt that others have written may be, where a feed keeps a record alive. A process
	// that has all of a million tokens in use reads 1,700 of them per second again.
	maxAge = 10 * time.Minute
)

// WithMaxStaleness sets how long after the acknowledgement of a revocation, wherever it was made, a verification may
// still succeed: from 10 milliseconds to an hour. The default is a second. A longer one lets more verifications through
// while the database is away. A feed costs the database a small query in every quarter of it, and every two and a half
// seconds at the longest.
func WithMaxStaleness(d time.Duration) Option { return func(o *options) { o.staleness = d } }

// WithMaxEntries sets how many records are held at most. The default is 100,000, of about 530 bytes each. They are held
// in sets of seven, so that some are displaced before all places are taken: at half of it, one in a hundred.
func WithMaxEntries(n int) Option { return func(o *options) { o.entries = n } }

// OnFeedError sets a function that [Store.Run] tells why it lost the feed, before it tries again. The function is called
// on the goroutine of Run.
func OnFeedError(f func(error)) Option { return func(o *options) { o.onFeedError = f } }

// ErrStaleStore means that the reads of the store to be put behind a cache may themselves be stale.
var ErrStaleStore = errors.New("cache: the reads of the store behind may be stale, so that there is no promise to keep")

// New returns a Store in front of another one. It starts no goroutine; see [Store.Run].
//
// A nil store and an option out of its range are a [*pat.ArgumentError]. A store whose reads may be stale, and which says
// so by a method StaleReads() bool, is [ErrStaleStore]: one that reads from a replica, and another cache. A wrapper around
// a store has to pass on that method, and that of its feed.
func New(store pat.Store, opts ...Option) (*Store, error) {
	settings := options{staleness: defaultStaleness, entries: defaultEntries, onFeedError: func(error) {}}
	for _, opt := range opts {
		opt(&settings)
	}
	if err := settings.check(); err != nil {
		return nil, err
	}
	if store == nil {
		return nil, &pat.ArgumentError{Argument: "store", Rule: "must not be nil"}
	}
	if s, ok := store.(interface{ StaleReads() bool }); ok && s.StaleReads() {
		return nil, ErrStaleStore
	}
	return &Store{
		store: store, staleness: settings.staleness, onFeedError: settings.onFeedError,
		seed: maphash.MakeSeed(), clock: newClock(),
		records: newTable(settings.entries), absent: newTable(absentEntries),
		byID: make(map[string]*entry), fetches: make(map[string]*fetch),
	}, nil
}

func (o *options) check() error {
	switch {
	case o.staleness < minStaleness || o.staleness > maxStaleness:
		return &pat.ArgumentError{Argument: "WithMaxStaleness", Rule: fmt.Sprintf("must be from %v to %v", minStaleness, maxStaleness)}
	case o.entries < 1 || o.entries > maxEntries:
		return &pat.ArgumentError{Argument: "WithMaxEntries", Rule: fmt.Sprintf("must be from 1 to %d", maxEntries)}
	case o.onFeedError == nil:
		return &pat.ArgumentError{Argument: "OnFeedError", Rule: "must not be nil"}
	}
	return nil
}

// StaleReads reports true: what other processes have written may be missed for as long as the maximum staleness.
func (s *Store) StaleReads() bool { return true }

func (s *Store) hash(prefix string) uint64 { return maphash.String(s.seed, prefix) }

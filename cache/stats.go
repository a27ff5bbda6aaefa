package cache

import (
	"encoding/json"
	"sync/atomic"
)

// Stats counts what a [Store] has done since it was made. The counters are read one after the other, and not at one
// moment.
type Stats struct {
	// Hits counts the look-ups that found their record held, and AbsentHits those that found the prefix remembered as
	// absent.
	Hits       uint64 `json:"hits"`
	AbsentHits uint64 `json:"absentHits"`
	// Misses counts the look-ups for which the other store was asked, and Joined those that waited for another's.
	Misses uint64 `json:"misses"`
	Joined uint64 `json:"joined"`
	// Evictions counts the records that were displaced by others.
	Evictions uint64 `json:"evictions"`
	// Entries is how many records are held now, those included whose lease has ended.
	Entries int `json:"entries"`
	// FeedAlive says that the feed has proven itself alive within the maximum staleness.
	FeedAlive bool `json:"feedAlive"`
	// FeedSessions counts how often the feed began, FeedFailures how often it could not be followed or broke, and
	// FeedChanges the changes of which it told.
	FeedSessions uint64 `json:"feedSessions"`
	FeedFailures uint64 `json:"feedFailures"`
	FeedChanges  uint64 `json:"feedChanges"`
}

// counts are the counters behind Stats.
type counts struct {
	// hits are counted apart for ranges of prefixes, each in a cache line of its own: one number that all cores write
	// would cost more than the look-up.
	hits [64]struct {
		n atomic.Uint64
		_ [56]byte
	}
	absent, misses, joined, evictions atomic.Uint64
	sessions, feedFailures, changes   atomic.Uint64
}

func (c *counts) hit(hash uint64) { c.hits[hash%uint64(len(c.hits))].n.Add(1) }

// Stats returns the counters as they now are.
func (s *Store) Stats() Stats {
	c := &s.counts
	stats := Stats{
		AbsentHits: c.absent.Load(), Misses: c.misses.Load(), Joined: c.joined.Load(), Evictions: c.evictions.Load(),
		FeedSessions: c.sessions.Load(), FeedFailures: c.feedFailures.Load(), FeedChanges: c.changes.Load(),
	}
	for i := range c.hits {
		stats.Hits += c.hits[i].n.Load()
	}
	s.mu.Lock()
	stats.Entries = len(s.byID)
	s.mu.Unlock()
	if p := s.proven.Load(); p != nil {
		stats.FeedAlive = p.at.within(s.staleness, s.clock.now())
	}
	return stats
}

// String returns the counters as a JSON object, so that a Store is an expvar.Var:
//
//	expvar.Publish("pat_cache", store)
func (s *Store) String() string {
	text, _ := json.Marshal(s.Stats()) // numbers can't fail
	return string(text)
}

package cache

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/patkit/pat"
)

// longestJoin bounds for how long callers wait for the look-up of another one, which may hang on a connection that is
// dead, with a caller who waits for ever.
const longestJoin = time.Second

// fetch is a look-up in the other store that is under way. Callers who ask for the same prefix meanwhile join it. They
// share the record and nothing else: each compares its own value with the digest.
type fetch struct {
	prefix  string
	begun   instant
	session uint64
	// stale says that the record may have changed since the look-up began. Nobody joins it then, and what it finds is
	// not kept. It is written under Store.mu.
	stale bool

	done chan struct{} // closed when the fields below are written
	rec  pat.Record
	err  error
	// given says that others may use the outcome. It is not that of the context of the caller who asked.
	given bool
}

// fetch asks the other store for a record.
func (s *Store) fetch(ctx context.Context, hash uint64, prefix string) (pat.Record, error) {
	f, mine := s.join(hash, prefix)
	if mine {
		return s.ask(ctx, f, hash)
	}
	if f != nil {
		longest := time.NewTimer(longestJoin)
		defer longest.Stop()
		select {
		case <-f.done:
			if f.given {
				return f.rec, f.err
			}
		case <-longest.C:
		case <-ctx.Done():
			return pat.Record{}, ctx.Err()
		}
	}
	return s.FindByPrefix(ctx, prefix) // from the beginning
}

// join returns a look-up of this prefix to wait for, or a new one for the caller to do, or nil where one has ended while
// the caller waited for the lock, so that there is an entry by now.
func (s *Store) join(hash uint64, prefix string) (f *fetch, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.now()
	if s.held(hash, prefix, now) != nil {
		return nil, false
	}
	f = s.fetches[prefix]
	// One that began earlier than the maximum staleness would give a record that is too old for a call that starts now.
	if f != nil && f.begun.within(min(longestJoin, s.staleness), now) {
		s.counts.joined.Add(1)
		return f, false
	}
	if f != nil {
		s.outdate(f)
	}
	s.counts.misses.Add(1)
	f = &fetch{prefix: strings.Clone(prefix), begun: now, done: make(chan struct{})}
	if p := s.proven.Load(); p != nil {
		f.session = p.session
	}
	s.fetches[f.prefix] = f
	return f, true
}

// outdate keeps others from joining a look-up, and its outcome from being kept. The caller holds mu.
func (s *Store) outdate(f *fetch) {
	f.stale = true
	delete(s.fetches, f.prefix)
}

// ask does a look-up and keeps what it found.
func (s *Store) ask(ctx context.Context, f *fetch, hash uint64) (pat.Record, error) {
	defer func() { // also when the store panics, or those who have joined would wait for ever
		s.mu.Lock()
		defer s.mu.Unlock()
		if f.given && !f.stale {
			s.keep(f, hash)
		}
		if s.fetches[f.prefix] == f {
			delete(s.fetches, f.prefix)
		}
		close(f.done)
	}()
	f.rec, f.err = s.store.FindByPrefix(ctx, f.prefix)
	f.given = f.err == nil || ctx.Err() == nil
	return f.rec, f.err
}

// keep puts the outcome of a look-up into its table, in the place of an older one. The caller holds mu.
func (s *Store) keep(f *fetch, hash uint64) {
	e := &entry{rec: f.rec, hash: hash, read: f.begun, session: f.session}
	switch {
	case f.err == nil && f.rec.Token.Prefix == f.prefix:
		s.dropRecord(s.records.find(hash, f.prefix))
		if displaced := s.records.put(e); displaced != nil {
			s.forgetID(displaced)
			s.counts.evictions.Add(1)
		}
		s.byID[f.rec.Token.ID] = e
	case errors.Is(f.err, pat.ErrNotFound) && len(f.prefix) <= maxPrefixLength:
		s.dropRecord(s.records.find(hash, f.prefix)) // deleted in a way that no feed has told of
		e.absent, e.rec.Token.Prefix = true, f.prefix
		if old := s.absent.find(hash, f.prefix); old != nil {
			s.absent.remove(old)
		}
		s.absent.put(e)
	}
}

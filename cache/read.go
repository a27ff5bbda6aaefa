package cache

import (
	"context"

	"github.com/patkit/pat"
)

// FindByPrefix implements [pat.Store]. Where it has the record, it takes no lock and allocates nothing.
func (s *Store) FindByPrefix(ctx context.Context, prefix string) (rec pat.Record, err error) {
	if err := ctx.Err(); err != nil {
		return rec, err
	}
	hash := s.hash(prefix)
	if e := s.held(hash, prefix, s.clock.now()); e != nil {
		// Something like a record is read of an absent prefix, too, so that it takes the time of one that is there.
		e.fill(&rec)
		if e.absent {
			s.counts.absent.Add(1)
			return pat.Record{}, pat.ErrNotFound
		}
		s.counts.hit(hash)
		return rec, nil
	}
	return s.fetch(ctx, hash, prefix)
}

// held returns the entry that answers a call which starts now, or nil.
func (s *Store) held(hash uint64, prefix string, now instant) *entry {
	p := s.proven.Load() // before the table, see serves
	if e := s.records.find(hash, prefix); e != nil && s.serves(e, p, now) {
		return e
	}
	if e := s.absent.find(hash, prefix); e != nil && e.read.within(min(absentStaleness, s.staleness), now) {
		return e
	}
	return nil
}

// FindByID implements [pat.Store]. It always asks the other store.
func (s *Store) FindByID(ctx context.Context, id string) (pat.Token, error) {
	return s.store.FindByID(ctx, id)
}

// List implements [pat.Store]. It always asks the other store.
func (s *Store) List(ctx context.Context, query pat.ListQuery) ([]pat.Token, error) {
	return s.store.List(ctx, query)
}

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
	now := s.clock.now()
	p := s.proven.Load() // before the table, see serves
	if e := s.records.find(hash, prefix); e != nil && s.serves(e, p, now) {
		s.counts.hit(hash)
		e.fill(&rec)
		return rec, nil
	}
	if e := s.absent.find(hash, prefix); e != nil && e.read.within(min(absentStaleness, s.staleness), now) {
		s.counts.absent.Add(1)
		// Something like a record is read nevertheless, so that an absent prefix takes the time of one that is there.
		e.fill(&rec)
		return pat.Record{}, pat.ErrNotFound
	}
	return s.fetch(ctx, hash, prefix)
}

// FindByID implements [pat.Store]. It always asks the other store.
func (s *Store) FindByID(ctx context.Context, id string) (pat.Token, error) {
	return s.store.FindByID(ctx, id)
}

// List implements [pat.Store]. It always asks the other store.
func (s *Store) List(ctx context.Context, query pat.ListQuery) ([]pat.Token, error) {
	return s.store.List(ctx, query)
}

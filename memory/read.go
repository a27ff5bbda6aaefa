package memory

import (
	"context"

	"github.com/patkit/pat"
)

// FindByPrefix implements [pat.Store]. It takes no lock and allocates nothing.
func (s *Store) FindByPrefix(ctx context.Context, prefix string) (rec pat.Record, err error) {
	if err := ctx.Err(); err != nil {
		return rec, err
	}
	e := s.byPrefix.find(prefix)
	if e == nil {
		// A record is read nevertheless, so that the time taken does not tell which prefixes exist. It goes nowhere.
		if e = s.byPrefix.decoy(prefix); e != nil {
			e.fill(&rec)
		}
		return pat.Record{}, pat.ErrNotFound
	}
	e.fill(&rec)
	return rec, nil
}

// FindByID implements [pat.Store].
func (s *Store) FindByID(ctx context.Context, id string) (pat.Token, error) {
	if err := ctx.Err(); err != nil {
		return pat.Token{}, err
	}
	e := s.byID.find(id)
	if e == nil {
		return pat.Token{}, pat.ErrNotFound
	}
	return e.token(), nil
}

// List implements [pat.Store].
func (s *Store) List(ctx context.Context, query pat.ListQuery) ([]pat.Token, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var tokens []pat.Token
	if query.Limit <= 0 {
		return tokens, nil
	}
	s.newestFirst(query.Owner, query.After, func(e *entry) bool {
		if tok := e.token(); query.IncludeRevoked || !tok.Revoked() {
			tokens = append(tokens, tok)
		}
		return len(tokens) < query.Limit
	})
	return tokens, nil
}

// lock takes the writers' lock, unless ctx is done by then.
func (s *Store) lock(ctx context.Context) error {
	s.mu.Lock()
	if err := ctx.Err(); err != nil {
		s.mu.Unlock()
		return err
	}
	return nil
}

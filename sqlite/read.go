package sqlite

import (
	"context"
	"database/sql/driver"
	"io"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/tokenrow"
)

const (
	findByPrefix = "SELECT " + columns + " FROM pat_tokens WHERE prefix = ?"
	findByID     = "SELECT " + columns + " FROM pat_tokens WHERE id = ?"
)

// readStatements are the prepared statements that only read.
type readStatements struct {
	byPrefix, packed, byID, next stmt
	lists                        map[tokenrow.ListKind]stmt
}

func (c *session) prepareReads() error {
	c.reads.lists = make(map[tokenrow.ListKind]stmt)
	p := preparer{session: c}
	c.reads.byPrefix = p.prepare(findByPrefixOrDecoy)
	c.reads.byID = p.prepare(findByID)
	c.reads.next = p.prepare(nextRecords)
	for _, kind := range tokenrow.ListKinds() {
		c.reads.lists[kind] = p.prepare(listQuery(kind))
	}
	if p.err == nil && c.canPack() {
		c.reads.packed = p.prepare(findPacked)
	}
	return p.err
}

// preparer prepares statements, for the session to close, and keeps the first error.
type preparer struct {
	session *session
	err     error
}

func (p *preparer) prepare(query string) (s stmt) {
	if p.err == nil {
		s, p.err = p.session.prepare(query)
	}
	return s
}

// FindByPrefix implements [pat.Store].
func (s *Store) FindByPrefix(ctx context.Context, prefix string) (pat.Record, error) {
	c, err := s.readers.acquire(ctx, s.closed)
	if err != nil {
		return pat.Record{}, failed(ctx, "find by prefix", err)
	}
	defer s.readers.release(c)
	s.keeper.count()
	rec, err := orNotFound(c.lookUp(prefix))
	// Bare, as find returns it: a flood of unknown prefixes should cost little.
	if err == nil || err == pat.ErrNotFound { //nolint:errorlint // see above
		return rec, err
	}
	return pat.Record{}, fault("find by prefix", err)
}

// FindByID implements [pat.Store].
func (s *Store) FindByID(ctx context.Context, id string) (pat.Token, error) {
	c, err := s.readers.acquire(ctx, s.closed)
	if err != nil {
		return pat.Token{}, failed(ctx, "find by id", err)
	}
	defer s.readers.release(c)
	key, _ := tokenrow.EncodeID(id) // nil, for what has another form, is the id of no row
	rec, err := c.find(c.reads.byID, key)
	if err != nil {
		return pat.Token{}, fault("find by id", err)
	}
	return rec.Token, nil
}

// find reads one row by a unique key.
func (c *session) find(s stmt, key driver.Value) (pat.Record, error) {
	switch err := c.first(c.row, s, key); {
	case err == io.EOF: //nolint:errorlint // as package driver has it
		return pat.Record{}, pat.ErrNotFound
	case err != nil:
		return pat.Record{}, err
	}
	return decode(c.row)
}

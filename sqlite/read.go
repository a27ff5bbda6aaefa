package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/patkit/pat"
)

const (
	findByPrefix = "SELECT " + columns + " FROM pat_tokens WHERE prefix = ?"
	findByID     = "SELECT " + columns + " FROM pat_tokens WHERE id = ?"
)

// readStatements are the prepared statements that only read.
type readStatements struct {
	byPrefix *sql.Stmt
	byID     *sql.Stmt
	lists    map[listKind]*sql.Stmt
}

func (c *session) prepareReads() error {
	c.reads.lists = make(map[listKind]*sql.Stmt)
	p := preparer{session: c}
	c.reads.byPrefix = p.prepare(findByPrefixOrDecoy)
	c.reads.byID = p.prepare(findByID)
	for _, kind := range listKinds {
		c.reads.lists[kind] = p.prepare(kind.query())
	}
	return p.err
}

// preparer prepares statements, for the session to close, and keeps the first error.
type preparer struct {
	session *session
	err     error
}

func (p *preparer) prepare(query string) *sql.Stmt {
	if p.err != nil {
		return nil
	}
	var stmt *sql.Stmt
	if stmt, p.err = p.session.conn.PrepareContext(context.Background(), query); p.err == nil {
		p.session.prepared = append(p.session.prepared, stmt)
	}
	return stmt
}

// FindByPrefix implements [pat.Store].
func (s *Store) FindByPrefix(ctx context.Context, prefix string) (pat.Record, error) {
	c, err := s.readers.acquire(ctx, s.closed)
	if err != nil {
		return pat.Record{}, failed(ctx, "find by prefix", err)
	}
	defer s.readers.release(c)
	rec, err := orNotFound(c.find(ctx, c.reads.byPrefix, prefix))
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
	key, _ := encodeID(id) // nil, for what has another form, is the id of no row
	rec, err := c.find(ctx, c.reads.byID, key)
	if err != nil {
		return pat.Token{}, fault("find by id", err)
	}
	return rec.Token, nil
}

// find reads one row by a unique key.
//
// It runs to its end whatever becomes of ctx, which acquire has looked at just before. It takes microseconds, and
// SQLite could not be interrupted in the only thing that may take long, a read of the disk; but to watch a context that
// can end, database/sql and the driver would start a goroutine and a callback each, which costs about as much as the
// look-up itself.
func (c *session) find(ctx context.Context, stmt *sql.Stmt, key any) (pat.Record, error) {
	rec, err := c.row.scan(stmt.QueryRowContext(context.WithoutCancel(ctx), key))
	if errors.Is(err, sql.ErrNoRows) {
		return pat.Record{}, pat.ErrNotFound
	}
	return rec, err
}

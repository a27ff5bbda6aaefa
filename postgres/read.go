package postgres

import (
	"context"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/tokenrow"
)

// selectByID returns the row of an id, if it is there.
func selectByID(table, locking string) *statement {
	return newStatement("SELECT "+columns+" FROM "+table+" WHERE id = $1"+locking, len(columnTypes), pgtype.UUIDOID)
}

// findByIDOnPrimary returns one row in any case: whether the server is in recovery, and the token, or else NULLs.
func findByIDOnPrimary(table string) *statement {
	return newStatement("SELECT standby, "+columns+" FROM (SELECT pg_is_in_recovery() AS standby) AS server LEFT JOIN "+table+" ON id = $1",
		1+len(columnTypes), pgtype.UUIDOID)
}

// FindByPrefix implements [pat.Store].
func (s *Store) FindByPrefix(ctx context.Context, prefix string) (pat.Record, error) {
	key := encodeText(prefix)
	if !isHeld(prefix) {
		key = encodeText(decoyPrefix) // asked for like any other: not to ask would be faster, and tell
	}
	var rec pat.Record
	err := s.find(ctx, "find by prefix", s.stmts.byPrefix, key, func(row [][]byte) (err error) {
		rec, err = decode(row)
		if err == nil && rec.Token.Prefix == decoyPrefix {
			err = pat.ErrNotFound
		}
		return err
	})
	if err != nil {
		return pat.Record{}, err
	}
	return rec, nil
}

// FindByID implements [pat.Store].
func (s *Store) FindByID(ctx context.Context, id string) (pat.Token, error) {
	key, _ := tokenrow.EncodeID(id) // NULL, for what has another form, is the id of no row
	var rec pat.Record
	err := s.find(ctx, "find by id", s.stmts.byID, key, func(row [][]byte) (err error) {
		if row[0] == nil {
			return pat.ErrNotFound
		}
		rec, err = decode(row)
		return err
	})
	if err != nil {
		return pat.Token{}, err
	}
	return rec.Token, nil
}

// find reads one row, behind a column that says whether the server is in recovery.
func (s *Store) find(ctx context.Context, operation string, stmt *statement, key []byte, read func(row [][]byte) error) error {
	return s.with(ctx, operation, s.readPool, func(c *session) error {
		answer := pat.ErrCorrupt
		look := call{statement: stmt, args: [][]byte{key}, row: func(values [][]byte) {
			if answer = s.refuseStandby(c, values); answer == nil {
				answer = read(values[1:])
			}
		}}
		if err := c.exchange(ctx, &look); err != nil {
			return err
		}
		return answer
	})
}

// refuseStandby looks at the column that says whether the server is in recovery. A standby does not know of the latest
// revocations: what it says of a token is worth nothing, unless the host has asked for that. The pool may find the
// primary with another connection.
func (s *Store) refuseStandby(c *session, values [][]byte) error {
	inRecovery := len(values) == 0 || len(values[0]) != 1 || values[0][0] != 0
	if !inRecovery || s.StaleReads() {
		return nil
	}
	c.stale = true
	return &transientError{ErrStandby}
}

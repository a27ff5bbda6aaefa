package postgres

import (
	"context"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/tokenrow"
)

// endOld ends the old token: at once, if its time of revocation is given, and else at the given time or at the one it
// has, whichever is earlier. least passes over NULLs.
func endOld(table string) *statement {
	return newStatement("UPDATE "+table+" SET rotated_to = $2, updated_at = $3, revoked_at = $4, expires_at = least(expires_at, $5) WHERE id = $1",
		0, pgtype.UUIDOID, pgtype.UUIDOID, pgtype.TimestamptzOID, pgtype.TimestamptzOID, pgtype.TimestamptzOID)
}

// Rotate implements [pat.Store].
func (s *Store) Rotate(ctx context.Context, rotation pat.Rotation) error {
	row, err := encode(rotation.New)
	if err != nil {
		return err
	}
	at, err := encodeChange("Rotation.At", rotation.At)
	if err != nil {
		return err
	}
	var end, revokedAt []byte
	if !rotation.End.After(rotation.At) {
		revokedAt = at
	} else if end, err = encodeChange("Rotation.End", rotation.End); err != nil {
		return err
	}
	oldID, _ := tokenrow.EncodeID(rotation.OldID)
	return s.with(ctx, "rotate", s.pool, func(c *session) error {
		if done, err := s.beginRotation(ctx, c, rotation, row, oldID); done || err != nil {
			return err // release rolls back
		}
		endOld := &call{statement: s.stmts.end, args: [][]byte{oldID, row[1], at, revokedAt, end}}
		add := &call{statement: s.stmts.insertOrFail, args: row}
		err := c.exchange(ctx, endOld, add, &call{statement: commit})
		if isCode(err, uniqueViolation) {
			return pat.ErrExists
		}
		return err
	})
}

// beginRotation begins a transaction, locks the old token and reports why it can't be rotated, or that the very same
// call has succeeded before.
func (s *Store) beginRotation(ctx context.Context, c *session, rotation pat.Rotation, row [][]byte, oldID []byte) (done bool, err error) {
	owner := &call{statement: share, args: [][]byte{
		encodeInt(lockKey(s.schema, lockUser, rotation.New.Token.UserID)),
		encodeInt(lockKey(s.schema, lockGroup, rotation.New.Token.GroupID)),
	}}
	var old pat.Record
	answer := pat.ErrNotFound
	get := &call{statement: s.stmts.lockByID, args: [][]byte{oldID}, row: func(values [][]byte) { old, answer = decode(values) }}
	// Behind the lock, because a repetition may have waited for it while the first call succeeded.
	look, f := s.look(row, oldID)
	if err := c.exchange(ctx, &call{statement: begin}, &call{statement: impatient}, owner, get, look); err != nil {
		return false, err
	}
	if f.replaced {
		return true, nil
	}
	if answer == nil {
		answer = rotation.Check(old.Token)
	}
	if answer == nil && f.taken {
		answer = pat.ErrExists
	}
	return false, answer
}

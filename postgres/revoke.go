package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/tokenrow"
)

func revoke(table string) *statement {
	return newStatement("UPDATE "+table+" SET revoked_at = $2, updated_at = $2 WHERE id = $1 AND revoked_at IS NULL",
		0, pgtype.UUIDOID, pgtype.TimestamptzOID)
}

// revokeAll returns the statement for a kind of owner. The rows are locked in the order of their prefixes, as by all
// who lock several, so that no two wait for each other.
func revokeAll(table string, kind tokenrow.ListKind) *statement {
	return newStatement("WITH held (key) AS (SELECT prefix FROM "+table+" WHERE revoked_at IS NULL AND "+ownerIs(kind, 2)+" ORDER BY prefix FOR NO KEY UPDATE) "+
		"UPDATE "+table+" SET revoked_at = $1, updated_at = $1 FROM held WHERE prefix = key AND revoked_at IS NULL RETURNING "+columns,
		len(columnTypes), append([]uint32{pgtype.TimestamptzOID}, ownerTypes(kind)...)...)
}

// Revoke implements [pat.Store]. A row that can't be decoded does not roll the revocation back.
func (s *Store) Revoke(ctx context.Context, id string, at time.Time) (tok pat.Token, changed bool, err error) {
	revokedAt, err := encodeChange("at", at)
	if err != nil {
		return pat.Token{}, false, err
	}
	key, _ := tokenrow.EncodeID(id) // NULL, for what has another form, is the id of no row
	var rec pat.Record
	var answer error
	err = s.with(ctx, "revoke", s.pool, func(c *session) error {
		answer = pat.ErrNotFound
		change := &call{statement: s.stmts.revoke, args: [][]byte{key, revokedAt}}
		look := &call{statement: s.stmts.lookByID, args: [][]byte{key}, row: func(values [][]byte) { rec, answer = decode(values) }}
		err := c.transact(ctx, change, look)
		changed = change.affected > 0
		return err
	})
	switch {
	case err != nil:
		return pat.Token{}, false, err
	case answer != nil:
		return pat.Token{}, false, failed(context.WithoutCancel(ctx), "revoke", answer)
	}
	return rec.Token, changed, nil
}

// RevokeAll implements [pat.Store]. A row that can't be decoded is revoked with the others.
func (s *Store) RevokeAll(ctx context.Context, owner pat.Owner, at time.Time) ([]pat.Token, error) {
	revokedAt, err := encodeChange("at", at)
	if err != nil {
		return nil, err
	}
	args, possible := encodeOwner(owner)
	if !possible {
		return nil, ctx.Err()
	}
	wait := s.lock(lockUser, owner.UserID)
	if owner.UserID == "" {
		wait = s.lock(lockGroup, owner.GroupID)
	}
	var read tokenrow.Tokens
	err = s.with(ctx, "revoke all", s.pool, func(c *session) error {
		read = tokenrow.Tokens{}
		change := &call{statement: s.stmts.revokeAll[tokenrow.KindOf(owner, false)], args: append([][]byte{revokedAt}, args...), row: func(values [][]byte) { read.Add(decode(values)) }}
		return c.transact(ctx, wait, change)
	})
	switch {
	case err != nil:
		return nil, err
	case read.Corrupt != nil:
		return read.Read, failed(context.WithoutCancel(ctx), "revoke all", read.Corrupt)
	}
	return read.Read, nil
}

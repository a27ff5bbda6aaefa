package postgres

import (
	"context"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/patkit/pat"
)

func replaceDigest(table string) *statement {
	return newStatement("UPDATE "+table+" SET digest = $3 WHERE prefix = $1 AND digest = $2 AND revoked_at IS NULL",
		0, pgtype.TextOID, pgtype.ByteaOID, pgtype.ByteaOID)
}

// ReplaceDigest implements [pat.Store].
func (s *Store) ReplaceDigest(ctx context.Context, prefix string, old, next pat.Digest) (bool, error) {
	if next.IsZero() {
		return false, &pat.ArgumentError{Argument: "next", Rule: "must not be empty"}
	}
	if !isHeld(prefix) {
		return false, ctx.Err()
	}
	change := &call{statement: s.stmts.replaceDigest, args: [][]byte{encodeText(prefix), []byte(old.Encoded()), []byte(next.Encoded())}}
	err := s.write(ctx, "replace digest", change)
	return err == nil && change.affected > 0, err
}

package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// purge takes as many as the limit from each of two indexes and deletes at most as many of them. The rows are locked in
// the order of their prefixes, as by all who lock several. They are looked up as an array: of a subquery the planner,
// which does not know the limit, would expect a third of the table, and read all of it.
func purge(table string) *statement {
	ended := func(column string) string {
		return "(SELECT prefix FROM " + table + " WHERE " + column + " < $1 ORDER BY " + column + " LIMIT $2)"
	}
	return newStatement("WITH ended AS ("+ended("revoked_at")+" UNION "+ended("expires_at")+" LIMIT $2), "+
		"held (key) AS (SELECT prefix FROM "+table+" WHERE prefix = ANY (ARRAY(SELECT prefix FROM ended)) "+
		"ORDER BY prefix FOR UPDATE) DELETE FROM "+table+" USING held WHERE prefix = key",
		0, pgtype.TimestamptzOID, pgtype.Int8OID)
}

// Purge implements [pat.Store].
func (s *Store) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	change := &call{statement: s.stmts.purge, args: [][]byte{encodeBound(before), encodeInt(int64(max(limit, 0)))}}
	if err := s.write(ctx, "purge", s.lock(lockPurge, ""), change); err != nil {
		return 0, err
	}
	return int(change.affected), nil
}

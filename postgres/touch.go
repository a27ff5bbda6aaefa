package postgres

import (
	"context"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/patkit/pat"
)

// touch takes a batch as two arrays. The rows are locked in the order of their prefixes, so that batches that overlap
// don't wait for each other in a circle; only those are written whose time moves.
func touch(table string) *statement {
	return newStatement("WITH uses AS (SELECT prefix, max(at) AS at FROM unnest($1, $2) AS u (prefix, at) GROUP BY prefix), "+
		"held AS (SELECT t.prefix, uses.at FROM "+table+" AS t JOIN uses USING (prefix) WHERE t.last_used_at IS NULL OR t.last_used_at < uses.at "+
		"ORDER BY t.prefix FOR NO KEY UPDATE OF t) "+
		"UPDATE "+table+" AS t SET last_used_at = held.at FROM held WHERE t.prefix = held.prefix AND (t.last_used_at IS NULL OR t.last_used_at < held.at)",
		0, pgtype.TextArrayOID, pgtype.TimestamptzArrayOID)
}

// Touch implements [pat.Store].
func (s *Store) Touch(ctx context.Context, uses []pat.Use) error {
	var prefixes, times [][]byte
	for _, use := range uses {
		at, err := encodeChange("Use.At", use.At)
		if err != nil {
			return err
		}
		if isHeld(use.Prefix) {
			prefixes, times = append(prefixes, []byte(use.Prefix)), append(times, at)
		}
	}
	if len(prefixes) == 0 {
		return ctx.Err()
	}
	args := [][]byte{encodeArray(pgtype.TextOID, prefixes), encodeArray(pgtype.TimestamptzOID, times)}
	return s.write(ctx, "touch", &call{statement: s.stmts.touch, args: args})
}

package postgres

import (
	"bytes"
	"context"
	"iter"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/patkit/pat"
)

// Merged counts the records that [Store.Merge] was given.
type Merged struct {
	// Added were not there before, Changed were there and have changed, and Same were there already as they are now.
	Added, Changed, Same int
}

// batchSize bounds a transaction of Merge.
const batchSize = 500

// Merge takes over the records of another store, so that a service can move while both are in use. It can be called
// again with the same records, to take over what has changed since: later uses, other digests, revocations and
// rotations. Whatever ends a token wins, on either side: of two revocations the earlier one stays, and so does the
// earlier expiry. The digest is that of the side where the token was used last. A token that was purged there stays
// until it is purged here; one that was purged here, and is still there, comes back as it is there, revoked or not. So
// don't purge between the first call and the last, and don't call it again after that.
//
// Each batch of some hundred records is a transaction. Where records, or the database, fails, the batches before it
// are merged, and the counts are theirs. A record whose id or prefix another token has, one of another owner say, is
// [pat.ErrExists]. After [pat.ErrOutcomeUnknown] call it again.
func (s *Store) Merge(ctx context.Context, records iter.Seq2[pat.Record, error]) (Merged, error) {
	var total Merged
	rows := make([][][]byte, len(columnTypes)) // by column
	flush := func() error {
		done, err := s.mergeRows(ctx, rows)
		total.Added += done.Added
		total.Changed += done.Changed
		total.Same += done.Same
		clear(rows)
		return err
	}
	for rec, err := range records {
		if err != nil {
			return total, err
		}
		row, err := encode(rec)
		if err != nil {
			return total, err
		}
		for i, value := range row {
			rows[i] = append(rows[i], value)
		}
		if len(rows[0]) == batchSize {
			if err := flush(); err != nil {
				return total, err
			}
		}
	}
	return total, flush()
}

// theSame tells whether a row that is held and a new one with its prefix are one and the same token.
const theSame = "(held.id, held.user_id, held.group_id, held.created_at) = (new.id, new.user_id, new.group_id, new.created_at)"

// merge adds the rows of some arrays and, where the token is there, takes over what has changed. Rows are locked in the
// order of their prefixes, as by all who lock several.
func merge(table string) *statement {
	// least and greatest pass over NULL, which is never. An expiry that only one side has is that of a rotation.
	const merged = "CASE WHEN held.last_used_at > coalesce(new.last_used_at, '-infinity') THEN held.digest ELSE new.digest END, " +
		"least(held.expires_at, new.expires_at), greatest(held.last_used_at, new.last_used_at), " +
		"least(held.revoked_at, new.revoked_at), coalesce(held.rotated_to, new.rotated_to)"
	const change = "SET (digest, expires_at, last_used_at, revoked_at, rotated_to, updated_at) = (" + merged + ", greatest(held.updated_at, new.updated_at)) " +
		"WHERE " + theSame + " AND (held.digest, held.expires_at, held.last_used_at, held.revoked_at, held.rotated_to) IS DISTINCT FROM (" + merged + ")"
	// The statement does not see what itself has added. (A row's xmax would tell as well, but not from a partitioned table.)
	return newStatement("INSERT INTO "+table+" AS held ("+columns+") SELECT * FROM "+unnested+" ORDER BY prefix COLLATE \"C\" "+
		"ON CONFLICT (prefix) DO UPDATE "+strings.ReplaceAll(change, "new.", "excluded.")+" "+
		"RETURNING (SELECT prefix FROM "+table+" AS before WHERE before.prefix = held.prefix) IS NULL",
		1, arrayTypes...)
}

// mergeClash counts the rows of some arrays whose prefix another token has.
func mergeClash(table string) *statement {
	return newStatement("SELECT count(*) FROM "+table+" AS held JOIN "+unnested+" USING (prefix) WHERE NOT "+theSame, 1, arrayTypes...)
}

// unnested has the arrays as rows.
var unnested = "unnest(" + parameters + ") AS new (" + columns + ")"

// arrayTypes are the types of the columns' arrays.
var arrayTypes = func() []uint32 {
	arrayOf := map[uint32]uint32{
		pgtype.TextOID: pgtype.TextArrayOID, pgtype.UUIDOID: pgtype.UUIDArrayOID, pgtype.ByteaOID: pgtype.ByteaArrayOID,
		pgtype.TimestamptzOID: pgtype.TimestamptzArrayOID,
	}
	types := make([]uint32, len(columnTypes))
	for i, column := range columnTypes {
		types[i] = arrayOf[column]
	}
	return types
}()

func (s *Store) mergeRows(ctx context.Context, rows [][][]byte) (done Merged, err error) {
	if len(rows[0]) == 0 {
		return Merged{}, ctx.Err()
	}
	args := make([][]byte, len(rows))
	for i, column := range rows {
		args[i] = encodeArray(columnTypes[i], column)
	}
	err = s.with(ctx, "merge", s.pool, func(c *session) error {
		done = Merged{Same: len(rows[0])}
		clashes := true
		write := &call{statement: s.stmts.merge, args: args, row: func(values [][]byte) {
			done.Same--
			if added := len(values[0]) == 1 && values[0][0] != 0; added {
				done.Added++
			} else {
				done.Changed++
			}
		}}
		look := &call{statement: s.stmts.mergeClash, args: args, row: func(values [][]byte) { clashes = !bytes.Equal(values[0], encodeInt(0)) }}
		if err := c.exchange(ctx, &call{statement: begin}, &call{statement: impatient}, write, look); isCode(err, uniqueViolation) || err == nil && clashes {
			return pat.ErrExists // release rolls back
		} else if err != nil {
			return err
		}
		return c.exchange(ctx, &call{statement: commit})
	})
	if err != nil {
		return Merged{}, err
	}
	return done, nil
}

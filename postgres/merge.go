package postgres

import (
	"bytes"
	"context"
	"iter"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/patkit/pat"
)

// Merged counts the records that [Store.Merge] was given.
type Merged struct {
	// Added were not there before, Changed were there and have changed, and Same were there already as they are now.
	Added, Changed, Same int
}

// mergeBatch bounds a transaction of Merge.
const mergeBatch = 500

// Merge takes over the records of another store, so that a service can move while both are in use. It can be called
// again with the same records, to take over what has changed since: later uses, other digests, revocations and
// rotations. Whatever ends a token wins, on either side: a revocation is never undone, the earlier one of two stays, and
// so does the earlier expiry. A token that was purged there stays here until it is purged here.
//
// Each batch of some hundred records is a transaction. Where records, or the database, fails, the batches before it
// are merged, and the counts are theirs. A record whose id or prefix another token has is [pat.ErrExists].
func (s *Store) Merge(ctx context.Context, records iter.Seq2[pat.Record, error]) (Merged, error) {
	var total Merged
	rows := make([][][]byte, len(columnTypes)) // by column
	flush := func() error {
		done, err := s.mergeBatch(ctx, rows)
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
		if len(rows[0]) == mergeBatch {
			if err := flush(); err != nil {
				return total, err
			}
		}
	}
	return total, flush()
}

// merge adds the rows of some arrays and, where the token is there, takes over what has changed.
func merge(table string) *statement {
	// least and greatest pass over NULL, which is never. An expiry that only one side has is that of a rotation.
	const merged = "least(held.expires_at, new.expires_at), greatest(held.last_used_at, new.last_used_at), " +
		"least(held.revoked_at, new.revoked_at), coalesce(held.rotated_to, new.rotated_to)"
	set := strings.NewReplacer("new.", "excluded.").Replace(
		"(digest, updated_at, expires_at, last_used_at, revoked_at, rotated_to) = (new.digest, greatest(held.updated_at, new.updated_at), " + merged + ")")
	differs := strings.NewReplacer("new.", "excluded.").Replace(
		"(held.digest, held.expires_at, held.last_used_at, held.revoked_at, held.rotated_to) IS DISTINCT FROM (new.digest, " + merged + ")")
	// The statement does not see what itself has added. (A row's xmax would tell as well, but not from a partitioned table.)
	return newStatement("INSERT INTO "+table+" AS held ("+columns+") SELECT * FROM "+unnested+" ORDER BY prefix "+
		"ON CONFLICT (prefix) DO UPDATE SET "+set+" WHERE held.id = excluded.id AND "+differs+" "+
		"RETURNING (SELECT prefix FROM "+table+" AS before WHERE before.prefix = held.prefix) IS NULL",
		1, arrayTypes...)
}

// mergeClash counts the rows of some arrays whose prefix another token has.
func mergeClash(table string) *statement {
	return newStatement("SELECT count(*) FROM "+table+" AS held JOIN "+unnested+" USING (prefix) WHERE held.id <> new.id", 1, arrayTypes...)
}

// unnested has the arrays as rows.
var unnested = func() string {
	var arrays []string
	for i := range columnTypes {
		arrays = append(arrays, "$"+strconv.Itoa(i+1))
	}
	return "unnest(" + strings.Join(arrays, ", ") + ") AS new (" + columns + ")"
}()

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

func (s *Store) mergeBatch(ctx context.Context, rows [][][]byte) (done Merged, err error) {
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
		write := &call{statement: s.merge, args: args, row: func(values [][]byte) {
			done.Same--
			if added := len(values[0]) == 1 && values[0][0] != 0; added {
				done.Added++
			} else {
				done.Changed++
			}
		}}
		look := &call{statement: s.mergeClash, args: args, row: func(values [][]byte) { clashes = !bytes.Equal(values[0], encodeInt(0)) }}
		if err := c.exchange(ctx, &call{statement: begin}, write, look); isCode(err, uniqueViolation) || err == nil && clashes {
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

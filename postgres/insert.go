package postgres

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/patkit/pat"
)

// parameters are those of the columns: $1, $2 and so on.
var parameters = func() string {
	var all []string
	for i := range columnTypes {
		all = append(all, "$"+strconv.Itoa(i+1))
	}
	return strings.Join(all, ", ")
}()

const onConflict = " ON CONFLICT DO NOTHING"

// insert adds a row, and does nothing where its id or prefix is taken.
func insert(table string) *statement {
	return newStatement("INSERT INTO "+table+" ("+columns+") VALUES ("+parameters+")"+onConflict, 0, columnTypes...)
}

// insertOrFail adds a row, and fails where its id or prefix is taken.
func insertOrFail(table string) *statement {
	return newStatement("INSERT INTO "+table+" ("+columns+") VALUES ("+parameters+")", 0, columnTypes...)
}

// insertWithin adds a row unless the group has as many tokens as its last parameter says. It counts in the index alone,
// and no further than the limit.
func insertWithin(table string) *statement {
	counted := "SELECT FROM " + table + " WHERE group_id = $5 AND revoked_at IS NULL AND " +
		"(rotated_to IS NULL OR expires_at IS NULL OR expires_at > $8) LIMIT $15"
	return newStatement("INSERT INTO "+table+" ("+columns+") SELECT "+parameters+
		" WHERE (SELECT count(*) FROM ("+counted+") AS counted) < $15"+onConflict, 0, append(slices.Clone(columnTypes), pgtype.Int8OID)...)
}

// clash tells whether the id or the prefix of a new row is taken, whether that is by the very same record, and whether
// that one replaced the token of the last parameter.
func clash(table string) *statement {
	return newStatement("SELECT count(*) > 0, count(*) FILTER (WHERE prefix = $1 AND id = $2 AND digest = $3) > 0, "+
		"count(*) FILTER (WHERE prefix = $1 AND id = $2 AND digest = $3 AND rotated_from = $4) > 0 FROM "+table+" WHERE prefix = $1 OR id = $2",
		3, pgtype.TextOID, pgtype.UUIDOID, pgtype.ByteaOID, pgtype.UUIDOID)
}

// found is the result of clash.
type found struct{ taken, same, replaced bool }

// look returns the call of clash for a row that would replace the token with an id, or NULL.
func (s *Store) look(row [][]byte, oldID []byte) (*call, *found) {
	f := new(found)
	return &call{statement: s.stmts.clash, args: [][]byte{row[0], row[1], row[2], oldID}, row: func(values [][]byte) {
		for i, target := range []*bool{&f.taken, &f.same, &f.replaced} {
			*target = i < len(values) && len(values[i]) == 1 && values[i][0] != 0
		}
	}}, f
}

// Insert implements [pat.Store].
func (s *Store) Insert(ctx context.Context, rec pat.Record, limit int) error {
	row, err := encode(rec)
	if err != nil {
		return err
	}
	return s.with(ctx, "insert", s.pool, func(c *session) error {
		add := &call{statement: s.stmts.insert, args: row}
		calls := []*call{add}
		if limit > 0 {
			// The lock comes in a statement before the one that counts, which so sees what was added before.
			add.statement, add.args = s.stmts.insertWithin, append(slices.Clone(row), encodeInt(int64(limit)))
			calls = []*call{s.lock(lockLimit, rec.Token.GroupID), add}
		}
		err := c.transact(ctx, calls...)
		if isCode(err, uniqueViolation) {
			// partition.sql has a table of the ids, which ON CONFLICT does not look at.
			err = c.exchange(ctx, &call{statement: rollback})
		}
		if err != nil || add.affected == 1 {
			return err
		}
		look, f := s.look(row, nil)
		if err := c.exchange(ctx, look); err != nil {
			return err
		}
		switch {
		case f.same:
			return nil
		case f.taken:
			return pat.ErrExists
		case limit > 0:
			return pat.ErrLimitReached
		}
		return &transientError{pat.ErrExists} // what stood in the way was purged in between
	})
}

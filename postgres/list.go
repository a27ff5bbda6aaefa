package postgres

import (
	"context"
	"errors"
	"math"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/patkit/pat"
)

// listKind names the variants of the list, each of which has a statement of its own.
type listKind struct{ byUser, byGroup, includeRevoked bool }

var listKinds = []listKind{
	{byUser: true}, {byUser: true, includeRevoked: true},
	{byGroup: true}, {byGroup: true, includeRevoked: true},
	{byUser: true, byGroup: true}, {byUser: true, byGroup: true, includeRevoked: true},
}

func kindOf(owner pat.Owner, includeRevoked bool) listKind {
	return listKind{byUser: owner.UserID != "", byGroup: owner.GroupID != "", includeRevoked: includeRevoked}
}

// query returns the statement. Its parameters are the creation time and the id to go on behind, the limit, and the
// owner's.
//
// Each half of the union comes out of its index in order and ends at the limit by itself. A limit of the whole alone
// would let the planner, which expects owners to have few tokens, read and sort all that an owner has.
func (k listKind) query(table string) *statement {
	const newest = " ORDER BY created_at DESC, id DESC LIMIT $3"
	half := func(state string) string {
		return "SELECT " + columns + " FROM " + table + " WHERE " + state + " AND " + k.owner(4) + " AND (created_at, id) < ($1, $2)" + newest
	}
	sql := half("revoked_at IS NULL")
	if k.includeRevoked {
		sql = "(" + sql + ") UNION ALL (" + half("revoked_at IS NOT NULL") + ")" + newest
	}
	types := append([]uint32{pgtype.TimestamptzOID, pgtype.UUIDOID, pgtype.Int8OID}, k.ownerTypes()...)
	return newStatement(sql, len(columnTypes), types...)
}

// owner returns the condition by which the owner's tokens are found, with the number of its first parameter.
func (k listKind) owner(first int) string {
	parameter := func(n int) string { return "$" + string(rune('0'+n)) }
	switch {
	case k.byUser && k.byGroup:
		return "user_id = " + parameter(first) + " AND group_id = " + parameter(first+1)
	case k.byUser:
		return "user_id = " + parameter(first)
	default:
		return "group_id = " + parameter(first)
	}
}

func (k listKind) ownerTypes() []uint32 {
	if k.byUser && k.byGroup {
		return []uint32{pgtype.TextOID, pgtype.TextOID}
	}
	return []uint32{pgtype.TextOID}
}

// encodeOwner returns the arguments for the owner's parameters, and reports false if no token can be the owner's.
func encodeOwner(owner pat.Owner) (args [][]byte, possible bool) {
	possible = owner != pat.Owner{}
	for _, id := range []string{owner.UserID, owner.GroupID} {
		if id != "" {
			args = append(args, encodeText(id))
			possible = possible && isHeld(id)
		}
	}
	return args, possible
}

// List implements [pat.Store].
func (s *Store) List(ctx context.Context, query pat.ListQuery) ([]pat.Token, error) {
	createdAt, id, err := encodePosition(query.After)
	if err != nil {
		return nil, err
	}
	owner, possible := encodeOwner(query.Owner)
	if !possible {
		return nil, ctx.Err()
	}
	stmt := s.stmts.lists[kindOf(query.Owner, query.IncludeRevoked)]
	args := append([][]byte{createdAt, id, encodeInt(int64(max(query.Limit, 0)))}, owner...)
	var read readRows
	err = s.with(ctx, "list", s.readPool, func(c *session) error {
		read = readRows{}
		refused := error(nil)
		ask := call{statement: standby, row: func(values [][]byte) { refused = s.refuseStandby(c, values) }}
		err := c.exchange(ctx, &ask, &call{statement: stmt, args: args, row: read.row})
		return errors.Join(err, refused, read.corrupt)
	})
	if err != nil {
		return nil, err
	}
	return read.tokens, nil
}

// encodePosition returns the place behind which a list goes on. The zero Position is before everything.
func encodePosition(p pat.Position) (createdAt, id []byte, err error) {
	if p == (pat.Position{}) {
		return encodeInt(math.MaxInt64), make([]byte, len(uuid.UUID{})), nil // infinity
	}
	id, ok := encodeID(p.ID)
	if !ok {
		return nil, nil, &pat.ArgumentError{Argument: "ListQuery.After.ID", Rule: "must be a UUID in its canonical form"}
	}
	return encodeBound(p.CreatedAt), id, nil
}

// readRows are the rows of a result.
type readRows struct {
	tokens  []pat.Token
	corrupt error // of the first row that can't be a token, or nil
}

func (r *readRows) row(values [][]byte) {
	rec, err := decode(values)
	switch {
	case err == nil:
		r.tokens = append(r.tokens, rec.Token)
	case r.corrupt == nil:
		r.corrupt = err
	}
}

package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/tokenrow"
)

// listQuery returns the statement of a variant. Its parameters are the creation time and the id to go on behind, the
// limit, and the owner's.
//
// Each half of the union comes out of its index in order and ends at the limit by itself. A limit of the whole alone
// would let the planner, which expects owners to have few tokens, read and sort all that an owner has.
func listQuery(table string, kind tokenrow.ListKind) *statement {
	const newest = " ORDER BY created_at DESC, id DESC LIMIT $3"
	half := func(state string) string {
		return "SELECT " + columns + " FROM " + table + " WHERE " + state + " AND " + ownerIs(kind, 4) + " AND (created_at, id) < ($1, $2)" + newest
	}
	sql := half("revoked_at IS NULL")
	if kind.IncludeRevoked {
		sql = "(" + sql + ") UNION ALL (" + half("revoked_at IS NOT NULL") + ")" + newest
	}
	types := append([]uint32{pgtype.TimestamptzOID, pgtype.UUIDOID, pgtype.Int8OID}, ownerTypes(kind)...)
	return newStatement(sql, len(columnTypes), types...)
}

// ownerIs returns the condition by which the owner's tokens are found, with the number of its first parameter.
func ownerIs(kind tokenrow.ListKind, first int) string {
	parameter := func(n int) string { return "$" + string(rune('0'+n)) }
	switch {
	case kind.ByUser && kind.ByGroup:
		return "user_id = " + parameter(first) + " AND group_id = " + parameter(first+1)
	case kind.ByUser:
		return "user_id = " + parameter(first)
	default:
		return "group_id = " + parameter(first)
	}
}

func ownerTypes(kind tokenrow.ListKind) []uint32 {
	if kind.ByUser && kind.ByGroup {
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
	createdAt, id, err := tokenrow.Behind(query.After)
	if err != nil {
		return nil, err
	}
	owner, possible := encodeOwner(query.Owner)
	if !possible {
		return nil, ctx.Err()
	}
	stmt := s.stmts.lists[tokenrow.KindOf(query.Owner, query.IncludeRevoked)]
	args := append([][]byte{encodeBound(createdAt), id, encodeInt(int64(max(query.Limit, 0)))}, owner...)
	var read tokenrow.Tokens
	err = s.with(ctx, "list", s.readPool, func(c *session) error {
		read = tokenrow.Tokens{}
		refused := error(nil)
		ask := call{statement: standby, row: func(values [][]byte) { refused = s.refuseStandby(c, values) }}
		err := c.exchange(ctx, &ask, &call{statement: stmt, args: args, row: func(values [][]byte) { read.Add(decode(values)) }})
		return errors.Join(err, refused, read.Corrupt)
	})
	if err != nil {
		return nil, err
	}
	return read.Read, nil
}

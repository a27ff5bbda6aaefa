package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/tokenrow"
)

// listQuery returns the statement of a variant. Its parameters are, in all variants, the user, the group, the creation
// time and the id to go on behind, and the limit.
//
// INDEXED BY keeps the plan from depending on statistics that a host may have made with ANALYZE. Each half of the union
// comes out of its index in order, and SQLite merges the two, so that nothing is sorted and reading ends at the limit.
func listQuery(kind tokenrow.ListKind) string {
	const behind = " AND (created_at, id) < (?3, ?4)"
	index, owner := ownerOf(kind)
	query := "SELECT " + columns + " FROM pat_tokens INDEXED BY " + index + "_live WHERE revoked_at IS NULL AND " + owner + behind
	if kind.IncludeRevoked {
		query += " UNION ALL SELECT " + columns + " FROM pat_tokens INDEXED BY " + index + "_revoked WHERE revoked_at IS NOT NULL AND " +
			owner + behind
	}
	return query + " ORDER BY created_at DESC, id DESC LIMIT +?5"
}

// ownerOf returns the index, but for its ending, and the condition by which the owner's tokens are found. A user in a
// group is looked for among the user's tokens, which are usually fewer.
func ownerOf(kind tokenrow.ListKind) (index, condition string) {
	switch {
	case kind.ByUser && kind.ByGroup:
		return "pat_tokens_user", "user_id = ?1 AND group_id = ?2"
	case kind.ByUser:
		return "pat_tokens_user", "user_id = ?1"
	default:
		return "pat_tokens_group", "group_id = ?2"
	}
}

// List implements [pat.Store].
func (s *Store) List(ctx context.Context, query pat.ListQuery) ([]pat.Token, error) {
	if query.Owner == (pat.Owner{}) {
		return nil, ctx.Err() // which selects nothing
	}
	createdAt, id, err := tokenrow.Behind(query.After)
	if err != nil {
		return nil, err
	}
	c, err := s.readers.acquire(ctx, s.closed)
	if err != nil {
		return nil, failed(ctx, "list", err)
	}
	defer s.readers.release(c)
	stmt := c.reads.lists[tokenrow.KindOf(query.Owner, query.IncludeRevoked)]
	// To SQLite, a limit below zero is none.
	rows, err := c.query(ctx, stmt, query.Owner.UserID, query.Owner.GroupID, createdAt.UnixMicro(), id, int64(max(query.Limit, 0)))
	if err != nil {
		return nil, failed(ctx, "list", err)
	}
	read, err := c.tokens(rows)
	if err = errors.Join(err, read.Corrupt); err != nil {
		return nil, failed(ctx, "list", err)
	}
	return read.Read, nil
}

// tokens reads all rows and closes them.
func (c *session) tokens(rows driver.Rows) (read tokenrow.Tokens, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		switch err := rows.Next(c.row); {
		case err == io.EOF: //nolint:errorlint // as package driver has it
			return read, nil
		case err != nil:
			return tokenrow.Tokens{}, err
		}
		read.Add(decode(c.row))
	}
}

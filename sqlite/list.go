package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"

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

// query returns the statement. Its parameters are, in all variants, the user, the group, the creation time and the id
// to go on behind, and the limit.
//
// INDEXED BY keeps the plan from depending on statistics that a host may have made with ANALYZE. Each half of the union
// comes out of its index in order, and SQLite merges the two, so that nothing is sorted and reading ends at the limit.
func (k listKind) query() string {
	const behind = " AND (created_at, id) < (?3, ?4)"
	index, owner := k.owner()
	query := "SELECT " + columns + " FROM pat_tokens INDEXED BY " + index + "_live WHERE revoked_at IS NULL AND " + owner + behind
	if k.includeRevoked {
		query += " UNION ALL SELECT " + columns + " FROM pat_tokens INDEXED BY " + index + "_revoked WHERE revoked_at IS NOT NULL AND " +
			owner + behind
	}
	return query + " ORDER BY created_at DESC, id DESC LIMIT +?5"
}

// owner returns the index, but for its ending, and the condition by which the owner's tokens are found. A user in a
// group is looked for among the user's tokens, which are usually fewer.
func (k listKind) owner() (index, condition string) {
	switch {
	case k.byUser && k.byGroup:
		return "pat_tokens_user", "user_id = ?1 AND group_id = ?2"
	case k.byUser:
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
	createdAt, id, err := positionColumns(query.After)
	if err != nil {
		return nil, err
	}
	c, err := s.readers.acquire(ctx, s.closed)
	if err != nil {
		return nil, failed(ctx, "list", err)
	}
	defer s.readers.release(c)
	stmt := c.reads.lists[kindOf(query.Owner, query.IncludeRevoked)]
	// To SQLite, a limit below zero is none.
	rows, err := c.query(ctx, stmt, query.Owner.UserID, query.Owner.GroupID, createdAt, id, int64(max(query.Limit, 0)))
	if err != nil {
		return nil, failed(ctx, "list", err)
	}
	read, err := c.tokens(rows)
	if err = errors.Join(err, read.corrupt); err != nil {
		return nil, failed(ctx, "list", err)
	}
	return read.tokens, nil
}

// readRows is what tokens has read.
type readRows struct {
	tokens  []pat.Token
	corrupt error // of the first row that can't be a token, or nil
}

// tokens reads all rows and closes them.
func (c *session) tokens(rows driver.Rows) (read readRows, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		switch err := rows.Next(c.row); {
		case err == io.EOF: //nolint:errorlint // as package driver has it
			return read, nil
		case err != nil:
			return readRows{}, err
		}
		rec, err := decode(c.row)
		if err == nil {
			read.tokens = append(read.tokens, rec.Token)
		} else if read.corrupt == nil {
			read.corrupt = err
		}
	}
}

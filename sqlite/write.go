package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/mattn/go-sqlite3"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/tokenrow"
)

const (
	insert = "INSERT INTO pat_tokens (" + columns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	// countGroup counts what the limit of a group counts, up to that limit. Only of rotated tokens does it need
	// more than the index has. It is not a part of the INSERT, because SQLite makes a temporary table for one that
	// reads its own target, which takes longer than the rest together.
	countGroup = "SELECT count(*) FROM (SELECT 1 FROM pat_tokens INDEXED BY pat_tokens_group_live " +
		"WHERE group_id = ?1 AND revoked_at IS NULL AND rotated_to IS NULL " +
		"UNION ALL SELECT 1 FROM pat_tokens INDEXED BY pat_tokens_group_live " +
		"WHERE group_id = ?1 AND revoked_at IS NULL AND rotated_to IS NOT NULL AND (expires_at IS NULL OR expires_at > ?3) LIMIT +?2)"
	// clash counts the rows that have the id or the prefix of a new record, and those among them that are the new
	// record.
	clash = "SELECT count(*), count(*) FILTER (WHERE prefix = ?1 AND id = ?2 AND digest = ?3) FROM pat_tokens WHERE prefix = ?1 OR id = ?2"

	revoke        = "UPDATE pat_tokens SET revoked_at = ?2, updated_at = ?2 WHERE id = ?1 AND revoked_at IS NULL"
	touch         = "UPDATE pat_tokens SET last_used_at = ?2 WHERE prefix = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)"
	replaceDigest = "UPDATE pat_tokens SET digest = ?3 WHERE prefix = ?1 AND digest = ?2 AND revoked_at IS NULL"
	purge         = "DELETE FROM pat_tokens WHERE prefix IN " +
		"(SELECT prefix FROM pat_tokens WHERE revoked_at < ?1 OR expires_at < ?1 LIMIT +?2)"
)

// revokeAll returns the statement for a kind of owner, with the user, the group and the time as its parameters.
func revokeAll(kind tokenrow.ListKind) string {
	index, owner := ownerOf(kind)
	return "UPDATE pat_tokens INDEXED BY " + index + "_live SET revoked_at = ?3, updated_at = ?3 WHERE revoked_at IS NULL AND " + owner +
		" RETURNING " + columns
}

// writeStatements are the prepared statements of the writer.
type writeStatements struct {
	insert, countGroup, clash, byID, end stmt
	revoke, touch, replaceDigest, purge  stmt
	savepoint, release                   stmt
	revokeAll                            map[tokenrow.ListKind]stmt
}

func (c *session) prepareWrites() error {
	p := preparer{session: c}
	c.writes = writeStatements{
		insert: p.prepare(insert), countGroup: p.prepare(countGroup), clash: p.prepare(clash), byID: p.prepare(findByID), end: p.prepare(endOld),
		revoke: p.prepare(revoke), touch: p.prepare(touch), replaceDigest: p.prepare(replaceDigest), purge: p.prepare(purge),
		savepoint: p.prepare("SAVEPOINT pat_write"), release: p.prepare("RELEASE pat_write"),
		revokeAll: make(map[tokenrow.ListKind]stmt),
	}
	for _, kind := range tokenrow.ListKinds() {
		if !kind.IncludeRevoked {
			c.writes.revokeAll[kind] = p.prepare(revokeAll(kind))
		}
	}
	return p.err
}

// Insert implements [pat.Store].
func (s *Store) Insert(ctx context.Context, rec pat.Record, limit int) error {
	row, err := encode(rec)
	if err != nil {
		return err
	}
	return s.transact(ctx, "insert", func(c *session) error {
		err := c.insertWithin(row, &rec.Token, limit)
		if !errors.Is(err, pat.ErrExists) && !errors.Is(err, pat.ErrLimitReached) {
			return err
		}
		switch taken, same, clashErr := c.clash(row); {
		case clashErr != nil:
			return clashErr
		case same:
			return nil
		case taken:
			return pat.ErrExists
		}
		return err
	})
}

// insertWithin adds a row, unless the group is full.
func (c *session) insertWithin(row []driver.Value, tok *pat.Token, limit int) error {
	if limit > 0 {
		counts, err := c.counts(1, c.writes.countGroup, tok.GroupID, int64(limit), tok.CreatedAt.UnixMicro())
		if err != nil {
			return err
		}
		if counts[0] >= int64(limit) {
			return pat.ErrLimitReached
		}
	}
	return c.insert(row)
}

// insert adds a row. It returns [pat.ErrExists] if the id or the prefix is taken.
func (c *session) insert(row []driver.Value) error {
	_, err := c.change(c.writes.insert, row...)
	if e, ok := errors.AsType[sqlite3.Error](err); ok &&
		(e.ExtendedCode == sqlite3.ErrConstraintPrimaryKey || e.ExtendedCode == sqlite3.ErrConstraintUnique) {
		return pat.ErrExists
	}
	return err
}

// clash reports whether the id or the prefix of a row is taken, and whether that is by the very same record.
func (c *session) clash(row []driver.Value) (taken, same bool, err error) {
	prefix, id, digest := row[0], row[1], row[2]
	counts, err := c.counts(2, c.writes.clash, prefix, id, digest)
	return counts[0] > 0, counts[1] > 0, err
}

// counts returns the first n columns of the only row of a statement that counts.
func (c *session) counts(n int, s stmt, args ...driver.Value) (counts [2]int64, err error) {
	err = c.first(c.row[:n], s, args...)
	for i := range n {
		counts[i], _ = c.row[i].(int64) // which a count is
	}
	return counts, err
}

// Revoke implements [pat.Store]. A row that can't be decoded does not roll the revocation back.
func (s *Store) Revoke(ctx context.Context, id string, at time.Time) (tok pat.Token, changed bool, err error) {
	revokedAt, err := encodeChange("at", at)
	if err != nil {
		return pat.Token{}, false, err
	}
	key, _ := tokenrow.EncodeID(id) // nil, for what has another form, is the id of no row
	var corrupt error
	err = s.transact(ctx, "revoke", func(c *session) error {
		corrupt = nil
		n, err := c.change(c.writes.revoke, key, revokedAt)
		if err != nil {
			return err
		}
		rec, err := c.find(c.writes.byID, key)
		if errors.Is(err, pat.ErrCorrupt) {
			corrupt = fault("revoke", err)
			return nil
		}
		tok, changed = rec.Token, n > 0
		return err
	})
	switch {
	case err != nil:
		return pat.Token{}, false, err
	case corrupt != nil:
		return pat.Token{}, false, corrupt
	}
	return tok, changed, nil
}

// RevokeAll implements [pat.Store]. A row that can't be decoded is revoked with the others.
func (s *Store) RevokeAll(ctx context.Context, owner pat.Owner, at time.Time) (revoked []pat.Token, err error) {
	revokedAt, err := encodeChange("at", at)
	if err != nil {
		return nil, err
	}
	if owner == (pat.Owner{}) {
		return nil, ctx.Err() // which selects nothing
	}
	var read tokenrow.Tokens
	err = s.transact(ctx, "revoke all", func(c *session) error {
		rows, err := c.query(context.Background(), c.writes.revokeAll[tokenrow.KindOf(owner, false)], owner.UserID, owner.GroupID, revokedAt)
		if err != nil {
			return err
		}
		read, err = c.tokens(rows)
		return err
	})
	if err != nil {
		return nil, err
	}
	if read.Corrupt != nil {
		return read.Read, fault("revoke all", read.Corrupt)
	}
	return read.Read, nil
}

// Touch implements [pat.Store].
func (s *Store) Touch(ctx context.Context, uses []pat.Use) error {
	times := make([]driver.Value, len(uses))
	for i, use := range uses {
		var err error
		if times[i], err = encodeChange("Use.At", use.At); err != nil {
			return err
		}
	}
	return s.transact(ctx, "touch", func(c *session) error {
		for i, use := range uses {
			if err := ctx.Err(); err != nil {
				return err
			}
			if _, err := c.change(c.writes.touch, use.Prefix, times[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// ReplaceDigest implements [pat.Store].
func (s *Store) ReplaceDigest(ctx context.Context, prefix string, old, next pat.Digest) (replaced bool, err error) {
	if next.IsZero() {
		return false, &pat.ArgumentError{Argument: "next", Rule: "must not be empty"}
	}
	err = s.transact(ctx, "replace digest", func(c *session) error {
		n, err := c.change(c.writes.replaceDigest, prefix, []byte(old.Encoded()), []byte(next.Encoded()))
		replaced = n > 0
		return err
	})
	return replaced && err == nil, err
}

// Purge implements [pat.Store].
func (s *Store) Purge(ctx context.Context, before time.Time, limit int) (deleted int, err error) {
	err = s.transact(ctx, "purge", func(c *session) error {
		// To SQLite, a limit below zero is none.
		n, err := c.change(c.writes.purge, before.UnixMicro(), int64(max(limit, 0)))
		deleted = int(n)
		return err
	})
	if err != nil {
		return 0, err
	}
	return deleted, nil
}

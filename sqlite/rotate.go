package sqlite

import (
	"context"
	"database/sql/driver"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/tokenrow"
)

// endOld ends the old token: at once, if its time of revocation is given, and else at the given time or at the one it
// has, whichever is earlier.
const endOld = "UPDATE pat_tokens SET rotated_to = ?2, updated_at = ?3, revoked_at = ?4, " +
	"expires_at = CASE WHEN ?4 IS NULL THEN min(ifnull(expires_at, ?5), ?5) ELSE expires_at END WHERE id = ?1"

// Rotate implements [pat.Store].
func (s *Store) Rotate(ctx context.Context, rotation pat.Rotation) error {
	row, err := encode(rotation.New)
	if err != nil {
		return err
	}
	at, err := encodeChange("Rotation.At", rotation.At)
	if err != nil {
		return err
	}
	var end, revokedAt driver.Value
	if !rotation.End.After(rotation.At) {
		revokedAt = at
	} else if end, err = encodeChange("Rotation.End", rotation.End); err != nil {
		return err
	}
	return s.transact(ctx, "rotate", func(c *session) error {
		if repeated, err := c.isRotated(rotation, row); repeated || err != nil {
			return err
		}
		oldID, _ := tokenrow.EncodeID(rotation.OldID)
		old, err := c.find(c.writes.byID, oldID)
		if err != nil {
			return err
		}
		if err := rotation.Check(old.Token); err != nil {
			return err
		}
		newID := row[1]
		if _, err := c.change(c.writes.end, oldID, newID, at, revokedAt, end); err != nil {
			return err
		}
		return c.insert(row)
	})
}

// isRotated reports whether the very same call has succeeded before: the new token is there, and names the old one.
func (c *session) isRotated(rotation pat.Rotation, row []driver.Value) (bool, error) {
	_, same, err := c.clash(row)
	if err != nil || !same {
		return false, err
	}
	next, err := c.find(c.writes.byID, row[1])
	return err == nil && next.Token.RotatedFrom == rotation.OldID, err
}

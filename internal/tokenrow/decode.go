package tokenrow

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/patkit/pat"
)

// Decode makes a record of the columns of a row, as the database has them. What [Encode] can't have written is
// [pat.ErrCorrupt].
func Decode[V any](format Format[V], values []V) (pat.Record, error) {
	if len(values) != ColumnCount {
		return pat.Record{}, fmt.Errorf("%w: a row of another shape", pat.ErrCorrupt)
	}
	d := Decoder[V]{Format: format, Values: values}
	rec := pat.Record{}
	tok := &rec.Token
	tok.Prefix = d.text("prefix")
	tok.ID = d.id("id")
	d.Check("id", tok.ID != "")
	rec.Digest = d.digest("digest")
	tok.UserID = d.text("user_id")
	tok.GroupID = d.text("group_id")
	tok.Name = d.text("name")
	tok.Scopes = d.scopes("scopes")
	d.History(tok)
	if d.Corrupt != "" {
		return pat.Record{}, fmt.Errorf("%w: column %s", pat.ErrCorrupt, d.Corrupt)
	}
	return rec, nil
}

// Decoder takes value by value, and keeps the name of the first column that can't be right.
type Decoder[V any] struct {
	Format  Format[V]
	Values  []V // those that were not taken yet
	Corrupt string
}

// Check keeps the name of a column that is not ok.
func (d *Decoder[V]) Check(column string, ok bool) {
	if !ok && d.Corrupt == "" {
		d.Corrupt = column
	}
}

func (d *Decoder[V]) next() V {
	value := d.Values[0]
	d.Values = d.Values[1:]
	return value
}

// History takes the columns that tell what happened when, the last ones of a row.
func (d *Decoder[V]) History(tok *pat.Token) {
	tok.CreatedAt = d.time("created_at")
	d.Check("created_at", !tok.CreatedAt.IsZero())
	tok.UpdatedAt = d.time("updated_at")
	d.Check("updated_at", !tok.UpdatedAt.IsZero())
	tok.ExpiresAt = d.time("expires_at")
	tok.LastUsedAt = d.time("last_used_at")
	tok.RevokedAt = d.time("revoked_at")
	tok.RotatedFrom = d.id("rotated_from")
	tok.RotatedTo = d.id("rotated_to")
}

func (d *Decoder[V]) text(column string) string {
	text, ok := d.Format.ToText(d.next())
	d.Check(column, ok && d.Format.Holds(text))
	return text
}

func (d *Decoder[V]) id(column string) string {
	value := d.next()
	if d.Format.IsNull(value) {
		return ""
	}
	bytes, ok := d.Format.ToBinary(value)
	id, err := uuid.FromBytes(bytes)
	d.Check(column, ok && err == nil)
	return id.String()
}

func (d *Decoder[V]) digest(column string) pat.Digest {
	encoded, ok := d.Format.ToBinary(d.next())
	digest, err := pat.ParseDigest(string(encoded))
	d.Check(column, ok && err == nil)
	return digest
}

func (d *Decoder[V]) scopes(column string) pat.Scopes {
	text, typed := d.Format.ToText(d.next())
	scopes, ok := DecodeScopes(text)
	d.Check(column, typed && ok)
	return scopes
}

// DecodeScopes reports false for anything but the one form in which scopes are written.
func DecodeScopes(text string) (scopes pat.Scopes, ok bool) {
	var err error
	if text != "" && !strings.Contains(text, " ") {
		scopes, err = pat.NewScopes(text) // without the list that ParseScopes makes
	} else {
		scopes, err = pat.ParseScopes(text)
	}
	return scopes, err == nil && scopes.String() == text
}

func (d *Decoder[V]) time(column string) time.Time {
	value := d.next()
	if d.Format.IsNull(value) {
		return time.Time{}
	}
	micros, ok := d.Format.ToTime(value)
	d.Check(column, ok && isTime(micros))
	return time.UnixMicro(micros).UTC()
}

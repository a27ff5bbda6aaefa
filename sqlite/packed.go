package sqlite

import (
	"database/sql/driver"
	"strings"

	"github.com/google/uuid"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/tokenrow"
)

// packed are the columns of a token in the form that a verification reads. The driver makes two allocations for a
// column that is text or binary, and one for a number above 255, so the texts, the id and the digest are one text here.
// The time of the last change is 1 where it is that of the creation, as it mostly is. A row that was changed in the
// first 255 microseconds of 1970, one of which could be taken for that mark, is not given in this form.
//
// A text does not tell of which types it was made, so SQLite checks them, and gives NULL in place of a row in which one
// is wrong. A number is less than any text, and what is binary is greater
// (https://www.sqlite.org/datatype3.html#sort_order). The plus keeps SQLite from converting what it compares. Two
// columns are asked for their types: the scopes, because they may be empty, and what is binary and empty lies between
// too; and the time of the last change, because 5.0 equals 5.
const (
	packed = "CASE WHEN +user_id BETWEEN '' AND x'' AND +group_id BETWEEN '' AND x'' AND +name BETWEEN '' AND x''" +
		" AND typeof(scopes) = 'text' AND +id >= x'' AND length(id) = 16 AND +digest >= x''" +
		" AND typeof(updated_at) = 'integer' AND updated_at > 255" +
		" THEN id || digest || prefix || " + sep + " || user_id || " + sep + " || group_id || " + sep + " || name || " + sep + " || scopes END, " +
		"length(digest), created_at, CASE WHEN +updated_at = +created_at THEN 1 ELSE updated_at END, expires_at, last_used_at, revoked_at, " +
		"rotated_from, rotated_to"
	packedColumns = 9
	sep           = "'" + separator + "'"
	separator     = "\x1f" // the unit separator of ASCII
	unchanged     = 1

	findPacked = "SELECT " + packed + " FROM pat_tokens WHERE prefix = ? UNION ALL SELECT " + packed + decoy
)

// canPack reports whether the texts of this database are in UTF-8, and not in the UTF-16 of a host that keeps tables of
// its own in it: then SQLite would take the bytes of the id and the digest for UTF-16 too, and convert them.
func (c *session) canPack() bool {
	encoding, err := readValue(c.conn, "PRAGMA encoding")
	return err == nil && encoding == "UTF-8"
}

// lookUp finds a token by its prefix, or the decoy.
func (c *session) lookUp(prefix string) (rec pat.Record, err error) {
	if c.reads.packed != nil {
		row := c.row[:packedColumns]
		if err := c.first(row, c.reads.packed, prefix); err != nil {
			return pat.Record{}, err
		}
		if unpack(row, &rec) {
			return rec, nil
		}
	}
	// Column by column, which tells the one that is wrong, and reads what has a separator within a text.
	return c.find(c.reads.byPrefix, prefix)
}

// unpack reads a row in its packed form. It reports false for what encode can't have written, and for a text that has
// the separator in it: there are more than four then.
func unpack(row []driver.Value, rec *pat.Record) bool {
	text, ok := row[0].(string)
	digestLength, _ := row[1].(int64) // without which the text is NULL too
	idLength := int64(len(uuid.UUID{}))
	if !ok || digestLength > int64(len(text))-idLength {
		return false
	}
	id, encoded, texts := text[:idLength], text[idLength:idLength+digestLength], text[idLength+digestLength:]
	if row[3] == driver.Value(int64(unchanged)) {
		row[3] = row[2]
	}
	d := tokenrow.Decoder[driver.Value]{Format: format{}, Values: row[2:packedColumns]}
	tok := &rec.Token
	d.History(tok)
	tok.ID = uuid.UUID([]byte(id)).String()
	digest, err := pat.ParseDigest(encoded)
	d.Check("digest", err == nil)
	rec.Digest = digest
	for _, field := range []*string{&tok.Prefix, &tok.UserID, &tok.GroupID, &tok.Name} {
		*field, texts, ok = strings.Cut(texts, separator)
		d.Check("texts", ok && tokenrow.IsText(*field))
	}
	tok.Scopes, ok = tokenrow.DecodeScopes(texts) // in which no separator can be
	d.Check("scopes", ok)
	return d.Corrupt == ""
}

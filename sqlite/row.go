package sqlite

import (
	"database/sql/driver"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/patkit/pat"
)

// columns are all columns, in the order in which encode gives and decode takes them.
const columns = "prefix, id, digest, user_id, group_id, name, scopes, created_at, updated_at, expires_at, last_used_at, revoked_at, " +
	"rotated_from, rotated_to"

var columnCount = strings.Count(columns, ",") + 1

// latestTime is the end of the year 9999, the last one that RFC 3339 can express.
var latestTime = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro() - 1

// encode returns the columns of a record.
func encode(rec pat.Record) ([]driver.Value, error) {
	e := encoder{columns: make([]driver.Value, 0, columnCount)}
	tok := &rec.Token
	e.require("Token.Prefix", tok.Prefix != "", "must not be empty")
	e.require("Token.ID", tok.ID != "", "must not be empty")
	e.require("Digest", !rec.Digest.IsZero(), "must not be empty")
	e.require("Token.UserID", isText(tok.UserID), textRule)
	e.require("Token.GroupID", isText(tok.GroupID), textRule)
	e.require("Token.Name", isText(tok.Name), textRule)
	e.require("Token.CreatedAt", !tok.CreatedAt.IsZero(), "must not be zero")
	e.require("Token.UpdatedAt", !tok.UpdatedAt.IsZero(), "must not be zero")
	e.add(tok.Prefix)
	e.id("Token.ID", tok.ID)
	e.add([]byte(rec.Digest.Encoded()))
	e.add(tok.UserID)
	e.add(tok.GroupID)
	e.add(tok.Name)
	e.add(tok.Scopes.String())
	e.time("Token.CreatedAt", tok.CreatedAt)
	e.time("Token.UpdatedAt", tok.UpdatedAt)
	e.time("Token.ExpiresAt", tok.ExpiresAt)
	e.time("Token.LastUsedAt", tok.LastUsedAt)
	e.time("Token.RevokedAt", tok.RevokedAt)
	e.id("Token.RotatedFrom", tok.RotatedFrom)
	e.id("Token.RotatedTo", tok.RotatedTo)
	return e.columns, e.err
}

const textRule = "must be valid UTF-8 and not empty"

func isText(s string) bool { return s != "" && utf8.ValidString(s) }

// encoder appends values and keeps the first error.
type encoder struct {
	columns []driver.Value
	err     error
}

func (e *encoder) require(argument string, ok bool, rule string) {
	if !ok && e.err == nil {
		e.err = &pat.ArgumentError{Argument: argument, Rule: rule}
	}
}

func (e *encoder) add(value driver.Value) { e.columns = append(e.columns, value) }

func (e *encoder) id(argument, id string) {
	if id == "" {
		e.add(nil)
		return
	}
	encoded, ok := encodeID(id)
	e.require(argument, ok, "must be a UUID in its canonical form")
	e.add(encoded)
}

func (e *encoder) time(argument string, t time.Time) {
	if t.IsZero() {
		e.add(nil)
		return
	}
	micros := t.UnixMicro()
	e.require(argument, 0 <= micros && micros <= latestTime, "must lie in the years 1970 to 9999")
	e.add(micros)
}

// encodeChange encodes the time of a change, which has to be given.
func encodeChange(argument string, t time.Time) (driver.Value, error) {
	var e encoder
	e.require(argument, !t.IsZero(), "must not be zero")
	e.time(argument, t)
	return e.columns[0], e.err
}

// encodeID reports false for anything but the one form in which ids are given out.
func encodeID(id string) ([]byte, bool) {
	parsed, err := uuid.Parse(id)
	if err != nil || parsed.String() != id {
		return nil, false
	}
	return parsed[:], true
}

// decode makes a record of the columns of a row, as the database has them. What encode can't have written is
// [pat.ErrCorrupt].
func decode(values []driver.Value) (pat.Record, error) {
	d := decoder{values: values}
	rec := pat.Record{}
	tok := &rec.Token
	tok.Prefix = d.text("prefix")
	tok.ID = d.id("id")
	rec.Digest = d.digest("digest")
	tok.UserID = d.text("user_id")
	tok.GroupID = d.text("group_id")
	tok.Name = d.text("name")
	tok.Scopes = d.scopes("scopes")
	d.history(tok)
	if column := missing(tok); column != "" {
		d.check(column, false)
	}
	if d.corrupt != "" {
		return pat.Record{}, fmt.Errorf("%w: column %s", pat.ErrCorrupt, d.corrupt)
	}
	return rec, nil
}

// missing returns the first column that a token has to have and this one has not, or "".
func missing(tok *pat.Token) string {
	switch {
	case tok.Prefix == "":
		return "prefix"
	case !isText(tok.UserID):
		return "user_id"
	case !isText(tok.GroupID):
		return "group_id"
	case !isText(tok.Name):
		return "name"
	case tok.ID == "":
		return "id"
	case tok.CreatedAt.IsZero():
		return "created_at"
	case tok.UpdatedAt.IsZero():
		return "updated_at"
	}
	return ""
}

// decoder takes value by value, and keeps the name of the first column that can't be right.
type decoder struct {
	values  []driver.Value
	corrupt string
}

func (d *decoder) check(column string, ok bool) {
	if !ok && d.corrupt == "" {
		d.corrupt = column
	}
}

func (d *decoder) next() driver.Value {
	value := d.values[0]
	d.values = d.values[1:]
	return value
}

// history takes the columns that tell what happened when, the last ones of a row in either form.
func (d *decoder) history(tok *pat.Token) {
	tok.CreatedAt = d.time("created_at")
	tok.UpdatedAt = d.time("updated_at")
	tok.ExpiresAt = d.time("expires_at")
	tok.LastUsedAt = d.time("last_used_at")
	tok.RevokedAt = d.time("revoked_at")
	tok.RotatedFrom = d.id("rotated_from")
	tok.RotatedTo = d.id("rotated_to")
}

func (d *decoder) text(column string) string {
	text, ok := d.next().(string)
	d.check(column, ok)
	return text
}

func (d *decoder) id(column string) string {
	id, ok := decodeID(d.next())
	d.check(column, ok)
	return id
}

func (d *decoder) digest(column string) pat.Digest {
	encoded, ok := d.next().([]byte)
	digest, err := pat.ParseDigest(string(encoded))
	d.check(column, ok && err == nil)
	return digest
}

func (d *decoder) scopes(column string) pat.Scopes {
	scopes, ok := decodeScopes(d.text(column))
	d.check(column, ok)
	return scopes
}

func (d *decoder) time(column string) time.Time {
	switch value := d.next().(type) {
	case nil:
		return time.Time{}
	case int64:
		t, ok := decodeTime(value)
		d.check(column, ok)
		return t
	}
	d.check(column, false)
	return time.Time{}
}

// decodeID returns the text of an id, or "" for NULL.
func decodeID(value driver.Value) (string, bool) {
	if value == nil {
		return "", true
	}
	bytes, ok := value.([]byte)
	id, err := uuid.FromBytes(bytes)
	if !ok || err != nil {
		return "", false
	}
	return id.String(), true
}

func decodeScopes(text string) (scopes pat.Scopes, ok bool) {
	var err error
	if text != "" && !strings.Contains(text, " ") {
		scopes, err = pat.NewScopes(text) // without the list that ParseScopes makes
	} else {
		scopes, err = pat.ParseScopes(text)
	}
	return scopes, err == nil && scopes.String() == text
}

func decodeTime(micros int64) (time.Time, bool) {
	return time.UnixMicro(micros).UTC(), 0 <= micros && micros <= latestTime
}

// positionColumns returns the place behind which a list goes on. The zero Position is before everything.
func positionColumns(p pat.Position) (createdAt int64, id []byte, err error) {
	if p == (pat.Position{}) {
		return math.MaxInt64, make([]byte, len(uuid.UUID{})), nil
	}
	id, ok := encodeID(p.ID)
	if !ok {
		return 0, nil, &pat.ArgumentError{Argument: "ListQuery.After.ID", Rule: "must be a UUID in its canonical form"}
	}
	return p.CreatedAt.UnixMicro(), id, nil
}

package postgres

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/patkit/pat"
)

// columns are all columns, in the order in which encode gives and decode takes them.
const columns = "prefix, id, digest, user_id, group_id, name, scopes, created_at, updated_at, expires_at, last_used_at, revoked_at, " +
	"rotated_from, rotated_to"

// columnTypes are the types of columns.
var columnTypes = []uint32{
	pgtype.TextOID, pgtype.UUIDOID, pgtype.ByteaOID, pgtype.TextOID, pgtype.TextOID, pgtype.TextOID, pgtype.TextOID,
	pgtype.TimestamptzOID, pgtype.TimestamptzOID, pgtype.TimestamptzOID, pgtype.TimestamptzOID, pgtype.TimestamptzOID,
	pgtype.UUIDOID, pgtype.UUIDOID,
}

// epoch is PostgreSQL's: 2000-01-01 in microseconds since 1970.
const epoch = 946_684_800_000_000

// latestTime is the end of the year 9999, the last one that RFC 3339 can express.
var latestTime = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro() - 1

// encode returns the columns of a record in the server's binary format.
func encode(rec pat.Record) ([][]byte, error) {
	e := encoder{columns: make([][]byte, 0, len(columnTypes))}
	tok := &rec.Token
	e.require("Digest", !rec.Digest.IsZero(), "must not be empty")
	e.require("Token.ID", tok.ID != "", "must not be empty")
	e.require("Token.CreatedAt", !tok.CreatedAt.IsZero(), "must not be zero")
	e.require("Token.UpdatedAt", !tok.UpdatedAt.IsZero(), "must not be zero")
	e.text("Token.Prefix", tok.Prefix)
	e.id("Token.ID", tok.ID)
	e.add([]byte(rec.Digest.Encoded()))
	e.text("Token.UserID", tok.UserID)
	e.text("Token.GroupID", tok.GroupID)
	e.text("Token.Name", tok.Name)
	e.add(encodeText(tok.Scopes.String()))
	e.time("Token.CreatedAt", tok.CreatedAt)
	e.time("Token.UpdatedAt", tok.UpdatedAt)
	e.time("Token.ExpiresAt", tok.ExpiresAt)
	e.time("Token.LastUsedAt", tok.LastUsedAt)
	e.time("Token.RevokedAt", tok.RevokedAt)
	e.id("Token.RotatedFrom", tok.RotatedFrom)
	e.id("Token.RotatedTo", tok.RotatedTo)
	return e.columns, e.err
}

// isHeld reports whether a column of type text can hold s: PostgreSQL's text has no NUL (section 8.3 of its manual).
func isHeld(s string) bool { return s != "" && utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// encoder appends values and keeps the first error.
type encoder struct {
	columns [][]byte
	err     error
}

func (e *encoder) require(argument string, ok bool, rule string) {
	if !ok && e.err == nil {
		e.err = &pat.ArgumentError{Argument: argument, Rule: rule}
	}
}

func (e *encoder) add(value []byte) { e.columns = append(e.columns, value) }

func (e *encoder) text(argument, text string) {
	e.require(argument, isHeld(text), "must be valid UTF-8, not empty and without NUL")
	e.add(encodeText(text))
}

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
	e.add(encodeInt(micros - epoch))
}

// encodeChange encodes the time of a change, which has to be given.
func encodeChange(argument string, t time.Time) ([]byte, error) {
	var e encoder
	e.require(argument, !t.IsZero(), "must not be zero")
	e.time(argument, t)
	return e.columns[0], e.err
}

// encodeText never returns nil, which would be NULL.
func encodeText(s string) []byte { return append([]byte{}, s...) }

// encodeInt encodes an int8, and a timestamptz given in microseconds of PostgreSQL's epoch.
func encodeInt(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// encodeBound encodes a time that is only compared with. What lies outside of the times that are held compares as the
// nearest infinity does.
func encodeBound(t time.Time) []byte {
	switch year := t.UTC().Year(); {
	case year < 1970:
		return encodeInt(math.MinInt64)
	case year > 9999:
		return encodeInt(math.MaxInt64)
	}
	return encodeInt(t.UnixMicro() - epoch)
}

// encodeArray encodes an array of one dimension, in which nil is NULL.
func encodeArray(elementType uint32, elements [][]byte) []byte {
	if len(elements) == 0 {
		return binary.BigEndian.AppendUint32(make([]byte, 8), elementType)
	}
	const dimensions, mayHaveNulls, lowerBound, null = 1, 1, 1, math.MaxUint32
	var b []byte
	for _, n := range []uint32{dimensions, mayHaveNulls, elementType, uint32(len(elements)), lowerBound} {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	for _, element := range elements {
		length := uint32(len(element))
		if element == nil {
			length = null
		}
		b = append(binary.BigEndian.AppendUint32(b, length), element...)
	}
	return b
}

// encodeID reports false for anything but the one form in which ids are given out.
func encodeID(id string) ([]byte, bool) {
	parsed, err := uuid.Parse(id)
	if err != nil || parsed.String() != id {
		return nil, false
	}
	return parsed[:], true
}

// decode makes a record of the columns of a row, in the server's binary format. What encode can't have written is
// [pat.ErrCorrupt].
func decode(values [][]byte) (pat.Record, error) {
	if len(values) != len(columnTypes) {
		return pat.Record{}, fmt.Errorf("%w: a row of another shape", pat.ErrCorrupt)
	}
	d := decoder{values: values}
	rec := pat.Record{}
	tok := &rec.Token
	tok.Prefix = d.text("prefix")
	tok.ID = d.id("id")
	d.check("id", tok.ID != "")
	rec.Digest = d.digest("digest")
	tok.UserID = d.text("user_id")
	tok.GroupID = d.text("group_id")
	tok.Name = d.text("name")
	tok.Scopes = d.scopes("scopes")
	tok.CreatedAt = d.time("created_at")
	d.check("created_at", !tok.CreatedAt.IsZero())
	tok.UpdatedAt = d.time("updated_at")
	d.check("updated_at", !tok.UpdatedAt.IsZero())
	tok.ExpiresAt = d.time("expires_at")
	tok.LastUsedAt = d.time("last_used_at")
	tok.RevokedAt = d.time("revoked_at")
	tok.RotatedFrom = d.id("rotated_from")
	tok.RotatedTo = d.id("rotated_to")
	if d.corrupt != "" {
		return pat.Record{}, fmt.Errorf("%w: column %s", pat.ErrCorrupt, d.corrupt)
	}
	return rec, nil
}

// decoder takes value by value, and keeps the name of the first column that can't be right.
type decoder struct {
	values  [][]byte
	corrupt string
}

func (d *decoder) check(column string, ok bool) {
	if !ok && d.corrupt == "" {
		d.corrupt = column
	}
}

func (d *decoder) next() []byte {
	value := d.values[0]
	d.values = d.values[1:]
	return value
}

func (d *decoder) text(column string) string {
	text := string(d.next())
	d.check(column, isHeld(text))
	return text
}

func (d *decoder) id(column string) string {
	value := d.next()
	if value == nil {
		return ""
	}
	id, err := uuid.FromBytes(value)
	d.check(column, err == nil)
	return id.String()
}

func (d *decoder) digest(column string) pat.Digest {
	digest, err := pat.ParseDigest(string(d.next()))
	d.check(column, err == nil)
	return digest
}

func (d *decoder) scopes(column string) pat.Scopes {
	value := d.next()
	scopes, err := pat.ParseScopes(string(value))
	d.check(column, value != nil && err == nil && scopes.String() == string(value))
	return scopes
}

func (d *decoder) time(column string) time.Time {
	value := d.next()
	if value == nil {
		return time.Time{}
	}
	if len(value) != 8 {
		d.check(column, false)
		return time.Time{}
	}
	// Infinity and its opposite are the ends of the range of int64, and no times of ours.
	micros := int64(binary.BigEndian.Uint64(value))
	ok := -epoch <= micros && micros <= latestTime-epoch
	d.check(column, ok)
	if !ok {
		return time.Time{}
	}
	return time.UnixMicro(micros + epoch).UTC()
}

package postgres

import (
	"encoding/binary"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/tokenrow"
)

const columns = tokenrow.Columns

// columnTypes are the types of columns.
var columnTypes = []uint32{
	pgtype.TextOID, pgtype.UUIDOID, pgtype.ByteaOID, pgtype.TextOID, pgtype.TextOID, pgtype.TextOID, pgtype.TextOID,
	pgtype.TimestamptzOID, pgtype.TimestamptzOID, pgtype.TimestamptzOID, pgtype.TimestamptzOID, pgtype.TimestamptzOID,
	pgtype.UUIDOID, pgtype.UUIDOID,
}

// epoch is PostgreSQL's: 2000-01-01 in microseconds since 1970.
const epoch = 946_684_800_000_000

// format is the server's binary one.
type format struct{}

func (format) Text(text string) []byte    { return encodeText(text) }
func (format) Binary(bytes []byte) []byte { return bytes }
func (format) Time(micros int64) []byte   { return encodeInt(micros - epoch) }
func (format) IsNull(value []byte) bool   { return value == nil }
func (format) Holds(text string) bool     { return isHeld(text) }
func (format) TextRule() string           { return "must be valid UTF-8, not empty and without NUL" }

func (format) ToText(value []byte) (string, bool)   { return string(value), value != nil }
func (format) ToBinary(value []byte) ([]byte, bool) { return value, value != nil }

// ToTime makes times before 1970 of infinity and its opposite, which are the ends of the range of int64.
func (format) ToTime(value []byte) (int64, bool) {
	if len(value) != 8 {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(value)) + epoch, true
}

// isHeld reports whether a column of type text can hold s: PostgreSQL's text has no NUL (section 8.3 of its manual).
func isHeld(s string) bool { return tokenrow.IsText(s) && strings.IndexByte(s, 0) < 0 }

func encode(rec pat.Record) ([][]byte, error) { return tokenrow.Encode(format{}, rec) }

func decode(values [][]byte) (pat.Record, error) { return tokenrow.Decode(format{}, values) }

func encodeChange(argument string, at time.Time) ([]byte, error) {
	return tokenrow.EncodeChange(format{}, argument, at)
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

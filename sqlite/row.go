package sqlite

import (
	"database/sql/driver"
	"time"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/tokenrow"
)

const (
	columns     = tokenrow.Columns
	columnCount = tokenrow.ColumnCount
)

// format is that of package driver.
type format struct{}

func (format) Text(text string) driver.Value    { return text }
func (format) Binary(bytes []byte) driver.Value { return bytes }
func (format) Time(micros int64) driver.Value   { return micros }
func (format) IsNull(value driver.Value) bool   { return value == nil }
func (format) Holds(text string) bool           { return tokenrow.IsText(text) }
func (format) TextRule() string                 { return "must be valid UTF-8 and not empty" }

func (format) ToText(value driver.Value) (string, bool) {
	text, ok := value.(string)
	return text, ok
}

func (format) ToBinary(value driver.Value) ([]byte, bool) {
	bytes, ok := value.([]byte)
	return bytes, ok
}

func (format) ToTime(value driver.Value) (int64, bool) {
	micros, ok := value.(int64)
	return micros, ok
}

func encode(rec pat.Record) ([]driver.Value, error) { return tokenrow.Encode(format{}, rec) }

func decode(values []driver.Value) (pat.Record, error) { return tokenrow.Decode(format{}, values) }

func encodeChange(argument string, at time.Time) (driver.Value, error) {
	return tokenrow.EncodeChange(format{}, argument, at)
}

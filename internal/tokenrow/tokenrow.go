// Package tokenrow is what the stores with a SQL database have in common about the row of a token: its columns and
// what each of them can hold, in both directions, the variants of the list, and what a damaged row comes to. How a
// value is handed to a database, and the SQL, is each store's own.
package tokenrow

import "unicode/utf8"

// Columns are all columns, in the order in which [Encode] gives and [Decode] takes them.
const Columns = "prefix, id, digest, user_id, group_id, name, scopes, created_at, updated_at, expires_at, last_used_at, revoked_at, " +
	"rotated_from, rotated_to"

// ColumnCount is how many Columns are.
const ColumnCount = 14

// Format is how a database takes and gives the values of columns. The zero V is NULL.
type Format[V any] interface {
	// Text makes a value of type text. Binary makes one of an id or a digest, and Time of the microseconds since 1970.
	Text(text string) V
	Binary(bytes []byte) V
	Time(micros int64) V

	// IsNull reports whether a value is NULL. The others report false if it is NULL or of another type.
	IsNull(value V) bool
	ToText(value V) (text string, ok bool)
	ToBinary(value V) (bytes []byte, ok bool)
	ToTime(value V) (micros int64, ok bool)

	// Holds reports whether a column can hold the text of a field that has to be given. TextRule says what it takes.
	Holds(text string) bool
	TextRule() string
}

// IsText reports whether a text is given and valid, which every database asks for.
func IsText(s string) bool { return s != "" && utf8.ValidString(s) }

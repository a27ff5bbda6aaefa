package tokenrow

import (
	"time"

	"github.com/google/uuid"

	"github.com/patkit/pat"
)

// LatestTime is the end of the year 9999, the last one that RFC 3339 can express, in microseconds since 1970.
const LatestTime = 253_402_300_800_000_000 - 1

func isTime(micros int64) bool { return 0 <= micros && micros <= LatestTime }

const idRule = "must be a UUID in its canonical form"

// Encode returns the columns of a record. What [Decode] would not give back is a [pat.ArgumentError].
func Encode[V any](format Format[V], rec pat.Record) ([]V, error) {
	e := encoder[V]{format: format, columns: make([]V, 0, ColumnCount)}
	tok := &rec.Token
	e.require("Token.ID", tok.ID != "", "must not be empty")
	e.require("Digest", !rec.Digest.IsZero(), "must not be empty")
	e.require("Token.CreatedAt", !tok.CreatedAt.IsZero(), "must not be zero")
	e.require("Token.UpdatedAt", !tok.UpdatedAt.IsZero(), "must not be zero")
	e.text("Token.Prefix", tok.Prefix)
	e.id("Token.ID", tok.ID)
	e.add(format.Binary([]byte(rec.Digest.Encoded())))
	e.text("Token.UserID", tok.UserID)
	e.text("Token.GroupID", tok.GroupID)
	e.text("Token.Name", tok.Name)
	e.add(format.Text(tok.Scopes.String()))
	e.time("Token.CreatedAt", tok.CreatedAt)
	e.time("Token.UpdatedAt", tok.UpdatedAt)
	e.time("Token.ExpiresAt", tok.ExpiresAt)
	e.time("Token.LastUsedAt", tok.LastUsedAt)
	e.time("Token.RevokedAt", tok.RevokedAt)
	e.id("Token.RotatedFrom", tok.RotatedFrom)
	e.id("Token.RotatedTo", tok.RotatedTo)
	return e.columns, e.err
}

// EncodeChange encodes the time of a change, which has to be given.
func EncodeChange[V any](format Format[V], argument string, at time.Time) (V, error) {
	var column [1]V
	e := encoder[V]{format: format, columns: column[:0]}
	e.require(argument, !at.IsZero(), "must not be zero")
	e.time(argument, at)
	return e.columns[0], e.err
}

// EncodeID reports false for anything but the one form in which ids are given out.
func EncodeID(id string) ([]byte, bool) {
	parsed, err := uuid.Parse(id)
	if err != nil || parsed.String() != id {
		return nil, false
	}
	return parsed[:], true
}

// encoder appends values and keeps the first error.
type encoder[V any] struct {
	format  Format[V]
	columns []V
	err     error
}

func (e *encoder[V]) require(argument string, ok bool, rule string) {
	if !ok && e.err == nil {
		e.err = &pat.ArgumentError{Argument: argument, Rule: rule}
	}
}

func (e *encoder[V]) add(value V) { e.columns = append(e.columns, value) }

func (e *encoder[V]) addNull() {
	var null V
	e.add(null)
}

func (e *encoder[V]) text(argument, text string) {
	e.require(argument, e.format.Holds(text), e.format.TextRule())
	e.add(e.format.Text(text))
}

func (e *encoder[V]) id(argument, id string) {
	if id == "" {
		e.addNull()
		return
	}
	encoded, ok := EncodeID(id)
	e.require(argument, ok, idRule)
	e.add(e.format.Binary(encoded))
}

func (e *encoder[V]) time(argument string, t time.Time) {
	if t.IsZero() {
		e.addNull()
		return
	}
	micros := t.UnixMicro()
	e.require(argument, isTime(micros), "must lie in the years 1970 to 9999")
	e.add(e.format.Time(micros))
}

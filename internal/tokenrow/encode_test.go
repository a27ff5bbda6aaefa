package tokenrow

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

func TestTheColumnsAreThoseThatAreNamed(t *testing.T) {
	rec := full(t)
	row, err := Encode(plain{}, rec)
	require.NoError(t, err)
	tok := rec.Token
	oneBytes, _ := EncodeID(oneID)
	otherBytes, _ := EncodeID(otherID)
	want := map[string]any{
		"prefix": tok.Prefix, "id": oneBytes, "digest": []byte(rec.Digest.Encoded()), "user_id": tok.UserID, "group_id": tok.GroupID,
		"name": tok.Name, "scopes": "read write", "created_at": tok.CreatedAt.UnixMicro(), "updated_at": tok.UpdatedAt.UnixMicro(),
		"expires_at": tok.ExpiresAt.UnixMicro(), "last_used_at": tok.LastUsedAt.UnixMicro(), "revoked_at": tok.RevokedAt.UnixMicro(),
		"rotated_from": otherBytes, "rotated_to": oneBytes,
	}
	got := map[string]any{}
	for i, column := range strings.Split(Columns, ", ") {
		got[column] = row[i]
	}
	assert.Equal(t, want, got)
	assert.Len(t, row, ColumnCount)
}

func TestWhatCouldNotBeReadBackIsNotEncoded(t *testing.T) {
	const empty, zero, years = "must not be empty", "must not be zero", "must lie in the years 1970 to 9999"
	const text = "the rule of plain"
	tooEarly, tooLate := time.UnixMicro(-1), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		argument, rule string
		change         func(*pat.Record)
	}{
		{"Token.Prefix", text, func(r *pat.Record) { r.Token.Prefix = "" }},
		{"Token.Prefix", text, func(r *pat.Record) { r.Token.Prefix = "a\x00b" }},
		{"Token.UserID", text, func(r *pat.Record) { r.Token.UserID = "" }},
		{"Token.GroupID", text, func(r *pat.Record) { r.Token.GroupID = "\xff" }},
		{"Token.Name", text, func(r *pat.Record) { r.Token.Name = "" }},
		{"Token.ID", idRule, func(r *pat.Record) { r.Token.ID = strings.ToUpper(r.Token.ID) }},
		{"Token.ID", empty, func(r *pat.Record) { r.Token.ID = "" }},
		{"Token.RotatedFrom", idRule, func(r *pat.Record) { r.Token.RotatedFrom = "x" }},
		{"Token.RotatedTo", idRule, func(r *pat.Record) { r.Token.RotatedTo = "{" + oneID + "}" }},
		{"Digest", empty, func(r *pat.Record) { r.Digest = pat.Digest{} }},
		{"Token.CreatedAt", zero, func(r *pat.Record) { r.Token.CreatedAt = time.Time{} }},
		{"Token.CreatedAt", years, func(r *pat.Record) { r.Token.CreatedAt = tooEarly }},
		{"Token.UpdatedAt", zero, func(r *pat.Record) { r.Token.UpdatedAt = time.Time{} }},
		{"Token.UpdatedAt", years, func(r *pat.Record) { r.Token.UpdatedAt = tooLate }},
		{"Token.ExpiresAt", years, func(r *pat.Record) { r.Token.ExpiresAt = tooEarly }},
		{"Token.LastUsedAt", years, func(r *pat.Record) { r.Token.LastUsedAt = tooLate }},
		{"Token.RevokedAt", years, func(r *pat.Record) { r.Token.RevokedAt = tooLate }},
		{"Token.Name", text, func(r *pat.Record) { r.Token.Name, r.Token.ExpiresAt, r.Token.RotatedTo = "", tooLate, "x" }}, // the first
	} {
		rec := full(t)
		c.change(&rec)
		_, err := Encode(plain{}, rec)
		assertArgument(t, c.argument, c.rule, err)
	}
}

func assertArgument(t *testing.T, argument, rule string, err error) {
	t.Helper()
	argumentError, ok := errors.AsType[*pat.ArgumentError](err)
	require.True(t, ok, "%s: %v", argument, err)
	assert.Equal(t, pat.ArgumentError{Argument: argument, Rule: rule}, *argumentError)
}

func TestTheTimeOfAChangeHasToBeGivenAndLieInTheYearsThatAreHeld(t *testing.T) {
	for at, want := range map[time.Time]string{
		{}:                    "must not be zero",
		time.UnixMicro(-1):    "must lie in the years 1970 to 9999",
		time.UnixMicro(0):     "",
		time.UnixMicro(12345): "",
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC): "",
		time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC):               "must lie in the years 1970 to 9999",
	} {
		column, err := EncodeChange(plain{}, "at", at)
		if want != "" {
			assertArgument(t, "at", want, err)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, at.UnixMicro(), column)
	}
}

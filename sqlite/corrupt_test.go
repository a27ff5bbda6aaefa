package sqlite

import (
	"database/sql/driver"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/tokenrow"
)

// Whatever is in the database, it is an error unless this library can have written it.
func TestCorruptColumnsAreErrors(t *testing.T) {
	row, err := encode(testRecord(t))
	require.NoError(t, err)
	whole, err := decode(row)
	require.NoError(t, err)
	require.Equal(t, testRecord(t), whole)

	for i, column := range strings.Split(columns, ", ") {
		require.NotEmpty(t, badValues(row)[column], column)
		for _, value := range badValues(row)[column] {
			damaged := append([]driver.Value{}, row...)
			damaged[i] = value
			got, err := decode(damaged)
			assert.ErrorIs(t, err, pat.ErrCorrupt, "%s: %v", column, value)
			assert.ErrorContains(t, err, "column "+column)
			assert.Zero(t, got)
		}
	}
}

// badValues returns, for each column, values that can't be those of a token that is like a row in the others.
func badValues(row []driver.Value) map[string][]any {
	id, updatedAt := row[1], row[8].(int64)
	return map[string][]any{
		"prefix": {nil, "", int64(1), []byte("abcdefABCDEF")},
		"id":     {nil, []byte{}, make([]byte, 15), make([]byte, 17), "0199c0de-0000-7000-8000-000000000001", int64(1)},
		"digest": {nil, []byte{}, []byte("x"), []byte("sha256$$"), []byte("SHA$$x"), "sha256$$" + strings.Repeat("d", 32), int64(1),
			[]byte("bcrypt$$" + strings.Repeat("d", 512))},
		"user_id":    {nil, "", "\xff", int64(1), []byte("user")},
		"group_id":   {nil, "", "\xff", int64(1), []byte("group")},
		"name":       {nil, "", "\xff", 1.5, []byte("name")},
		"scopes":     {nil, int64(1), []byte("read"), []byte{}, "read  write", " read", `a"b`, "a a", "naïve", strings.Repeat("a", 129)},
		"created_at": {nil, int64(-1), "2031-01-01", 1.5, int64(math.MaxInt64), int64(tokenrow.LatestTime + 1)},
		"updated_at": {nil, int64(-1), "2031-01-01", float64(updatedAt)}, "expires_at": {int64(-1), "never", 1.5, int64(tokenrow.LatestTime + 1)}, "last_used_at": {int64(-1), ""},
		"revoked_at": {int64(-1), int64(math.MinInt64), "", []byte{}, true}, "rotated_from": {[]byte{}, "x", make([]byte, 15)},
		"rotated_to": {[]byte{}, int64(1), make([]byte, 17), append([]byte{1}, id.([]byte)...)},
	}
}

func TestACorruptRowIsAnErrorOfEveryMethod(t *testing.T) {
	for _, damage := range []string{
		"digest = x'00'", "scopes = 'a a'", "created_at = -1", "revoked_at = -1", "id = x'01'", "rotated_to = x'01'",
	} {
		s, rec := testStore(t, ":memory:"), testRecord(t)
		require.NoError(t, s.Insert(t.Context(), rec, 0))
		c := sessions(s)[0]
		for _, query := range []string{"PRAGMA ignore_check_constraints = ON", "UPDATE pat_tokens SET " + damage} {
			require.NoError(t, c.exec(query))
		}
		_, err := s.FindByPrefix(t.Context(), rec.Token.Prefix)
		assert.ErrorIs(t, err, pat.ErrCorrupt, damage)
		_, err = s.List(t.Context(), pat.ListQuery{Owner: pat.Owner{UserID: "user"}, IncludeRevoked: true, Limit: 10})
		assert.ErrorIs(t, err, pat.ErrCorrupt, damage)
		if !strings.HasPrefix(damage, "id") {
			_, err = s.FindByID(t.Context(), rec.Token.ID)
			assert.ErrorIs(t, err, pat.ErrCorrupt, damage)
		}
	}
}

// In an incident, one row that can't be read must not keep the others alive, nor itself.
func TestWhatCannotBeReadIsRevokedNevertheless(t *testing.T) {
	s := testStore(t, ":memory:")
	var recs []pat.Record
	for i := range 3 {
		rec := testRecord(t)
		rec.Token.ID = rec.Token.ID[:35] + string('a'+rune(i))
		rec.Token.Prefix = rec.Token.Prefix[:11] + string('a'+rune(i))
		require.NoError(t, s.Insert(t.Context(), rec, 0))
		recs = append(recs, rec)
	}
	damage := func(assignment string) {
		require.NoError(t, sessions(s)[0].exec("UPDATE pat_tokens SET "+assignment+" WHERE prefix = '"+recs[1].Token.Prefix+"'"))
	}
	revokedRows := func() any {
		return valueOf(t, sessions(s)[0], "SELECT count(*) FROM pat_tokens WHERE revoked_at IS NOT NULL")
	}
	at := recs[0].Token.CreatedAt.Add(time.Hour)
	damage("scopes = 'a  a'")
	_, changed, err := s.Revoke(t.Context(), recs[1].Token.ID, at)
	require.ErrorIs(t, err, pat.ErrCorrupt)
	assert.False(t, changed)
	assert.Equal(t, int64(1), revokedRows())

	damage("revoked_at = NULL")
	revoked, err := s.RevokeAll(t.Context(), pat.Owner{UserID: recs[0].Token.UserID}, at)
	require.ErrorIs(t, err, pat.ErrCorrupt)
	assert.Len(t, revoked, 2, "the readable ones are returned")
	assert.Equal(t, int64(3), revokedRows())
	_, err = s.FindByPrefix(t.Context(), recs[0].Token.Prefix)
	require.NoError(t, err)
}

func TestInsertRefusesWhatItCouldNotReadBack(t *testing.T) {
	s, rec := testStore(t, ":memory:"), testRecord(t)
	rec.Token.GroupID = "\xff"
	argumentError, ok := errors.AsType[*pat.ArgumentError](s.Insert(t.Context(), rec, 0))
	require.True(t, ok)
	assert.Equal(t, pat.ArgumentError{Argument: "Token.GroupID", Rule: "must be valid UTF-8 and not empty"}, *argumentError)
}

func TestRotateRefusesWhatItCouldNotReadBack(t *testing.T) {
	s, rec := testStore(t, ":memory:"), testRecord(t)
	require.NoError(t, s.Insert(t.Context(), rec, 0))
	for argument, change := range map[string]func(*pat.Rotation){
		"Rotation.At":  func(r *pat.Rotation) { r.At = time.Time{} },
		"Rotation.End": func(r *pat.Rotation) { r.End = created.AddDate(10_000, 0, 0) },
		"Token.Name":   func(r *pat.Rotation) { r.New.Token.Name = "" },
	} {
		rotation := pat.Rotation{OldID: rec.Token.ID, At: created, End: created.Add(time.Hour), New: nextRecord(rec)}
		rotation.New.Token.RotatedFrom = rec.Token.ID
		change(&rotation)
		argumentError, ok := errors.AsType[*pat.ArgumentError](s.Rotate(t.Context(), rotation))
		require.True(t, ok, argument)
		assert.Equal(t, argument, argumentError.Argument)
	}
}

func TestTheFirstAndTheLastTimeAreReadBack(t *testing.T) {
	s, rec := testStore(t, ":memory:"), testRecord(t)
	rec.Token.CreatedAt = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	rec.Token.ExpiresAt = time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
	require.NoError(t, s.Insert(t.Context(), rec, 0))
	got, err := s.FindByPrefix(t.Context(), rec.Token.Prefix)
	require.NoError(t, err)
	assert.Equal(t, rec, got)
}

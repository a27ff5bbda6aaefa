package tokenrow

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

func TestARecordIsReadBackAsItWas(t *testing.T) {
	for name, change := range map[string]func(*pat.Record){
		"every field": func(*pat.Record) {},
		"without what may be left out": func(r *pat.Record) {
			r.Token = pat.Token{
				Prefix: r.Token.Prefix, ID: oneID, UserID: "user", GroupID: "group", Name: "name",
				CreatedAt: r.Token.CreatedAt, UpdatedAt: r.Token.UpdatedAt,
			}
		},
		"one scope": func(r *pat.Record) { r.Token.Scopes, _ = pat.NewScopes("read") },
		"its ends": func(r *pat.Record) {
			r.Token.CreatedAt, r.Token.ExpiresAt = time.UnixMicro(0).UTC(), time.UnixMicro(LatestTime).UTC()
		},
	} {
		rec := full(t)
		change(&rec)
		row, err := Encode(plain{}, rec)
		require.NoError(t, err, name)
		got, err := Decode(plain{}, row)
		require.NoError(t, err, name)
		assert.Equal(t, rec, got, name)
	}
}

// Whatever is in the database, it is an error unless Encode can have written it.
func TestWhatCannotHaveBeenEncodedIsCorrupt(t *testing.T) {
	row, err := Encode(plain{}, full(t))
	require.NoError(t, err)
	texts := []any{nil, "", "\xff", "a\x00b", []byte("text"), 1}
	times := []any{int64(-1), int64(LatestTime + 1), "2031-01-01"}
	ids := []any{[]byte{}, make([]byte, 15), make([]byte, 17), oneID}
	bad := map[string][]any{
		"prefix": texts, "user_id": texts, "group_id": texts, "name": texts,
		"id": append(ids, nil), "rotated_from": ids, "rotated_to": ids,
		"digest":     {nil, []byte{}, []byte("x"), "sha256$$" + strings.Repeat("d", 32)},
		"scopes":     {nil, []byte("read"), "read  write", " read", `a"b`, "a a"},
		"created_at": append(times, nil), "updated_at": append(times, nil), "expires_at": times, "last_used_at": times, "revoked_at": times,
	}
	for i, column := range strings.Split(Columns, ", ") {
		require.NotEmpty(t, bad[column], column)
		for _, value := range bad[column] {
			damaged := slices.Clone(row)
			damaged[i] = value
			got, err := Decode(plain{}, damaged)
			assert.ErrorIs(t, err, pat.ErrCorrupt, "%s: %v", column, value)
			assert.ErrorContains(t, err, "column "+column)
			assert.Zero(t, got)
		}
	}
}

func TestTheFirstColumnThatIsCorruptIsNamed(t *testing.T) {
	row, err := Encode(plain{}, full(t))
	require.NoError(t, err)
	row[3], row[7] = nil, nil
	_, err = Decode(plain{}, row)
	require.ErrorIs(t, err, pat.ErrCorrupt)
	assert.ErrorContains(t, err, "column user_id")
}

func TestARowOfAnotherShapeIsCorrupt(t *testing.T) {
	row, err := Encode(plain{}, full(t))
	require.NoError(t, err)
	for _, other := range [][]any{nil, row[1:], append(slices.Clone(row), nil)} {
		_, err := Decode(plain{}, other)
		assert.ErrorIs(t, err, pat.ErrCorrupt)
	}
}

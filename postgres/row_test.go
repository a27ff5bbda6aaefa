package postgres

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/tokenrow"
)

// Whatever is in the database, it is an error unless this library can have written it.
func TestCorruptColumnsAreErrors(t *testing.T) {
	rec := testRecord(1)
	rec.Token.LastUsedAt, rec.Token.RevokedAt = created, created
	rec.Token.RotatedFrom, rec.Token.RotatedTo = testRecord(2).Token.ID, testRecord(3).Token.ID
	row, err := encode(rec)
	require.NoError(t, err)
	whole, err := decode(row)
	require.NoError(t, err)
	require.Equal(t, rec, whole)

	texts := [][]byte{nil, {}, []byte("\xff"), []byte("a\x00b")}
	times := [][]byte{{}, {1}, encodeInt(math.MinInt64), encodeInt(math.MaxInt64), encodeInt(-epoch - 1), encodeInt(tokenrow.LatestTime - epoch + 1)}
	ids := [][]byte{{}, make([]byte, 15), make([]byte, 17)}
	bad := map[string][][]byte{
		"prefix": texts, "user_id": texts, "group_id": texts, "name": texts,
		"id": append(ids, nil), "rotated_from": ids, "rotated_to": ids,
		"digest":     {nil, {}, []byte("x"), []byte("sha256$$"), []byte("SHA$$x"), []byte("bcrypt$$" + strings.Repeat("d", 512))},
		"scopes":     {nil, []byte("read  write"), []byte(" read"), []byte(`a"b`), []byte("a a"), []byte("naïve"), []byte("\xff"), []byte(strings.Repeat("a", 129))},
		"created_at": append(times, nil), "updated_at": append(times, nil), "expires_at": times, "last_used_at": times, "revoked_at": times,
	}
	for i, column := range strings.Split(columns, ", ") {
		require.NotEmpty(t, bad[column], column)
		for _, value := range bad[column] {
			damaged := append([][]byte{}, row...)
			damaged[i] = value
			got, err := decode(damaged)
			assert.ErrorIs(t, err, pat.ErrCorrupt, "%s: %q", column, value)
			assert.ErrorContains(t, err, "column "+column)
			assert.Zero(t, got)
		}
	}
	_, err = decode(row[1:])
	assert.ErrorIs(t, err, pat.ErrCorrupt)
}

// Arguments are encoded here and results decoded. The driver's own codecs are the measure.
func TestTheServersFormatsAreThoseOfTheDriver(t *testing.T) {
	m := pgtype.NewMap()
	for _, c := range []struct {
		name  string
		oid   uint32
		value any
		ours  []byte
	}{
		{"a time", pgtype.TimestamptzOID, created, encodeInt(created.UnixMicro() - epoch)},
		{"infinity", pgtype.TimestamptzOID, pgtype.Timestamptz{Valid: true, InfinityModifier: pgtype.Infinity}, encodeBound(time.Unix(1<<40, 0))},
		{"its opposite", pgtype.TimestamptzOID, pgtype.Timestamptz{Valid: true, InfinityModifier: pgtype.NegativeInfinity}, encodeBound(time.Unix(-1, 0))},
	} {
		theirs, err := m.Encode(c.oid, pgtype.BinaryFormatCode, c.value, nil)
		require.NoError(t, err, c.name)
		assert.Equal(t, theirs, c.ours, c.name)
	}
	var texts []string
	array := encodeArray(pgtype.TextOID, [][]byte{[]byte("a"), {}, []byte("bc")})
	require.NoError(t, m.Scan(pgtype.TextArrayOID, pgtype.BinaryFormatCode, array, &texts))
	assert.Equal(t, []string{"a", "", "bc"}, texts)
}

func TestWhatCouldNotBeReadBackIsRefused(t *testing.T) {
	rec := testRecord(1)
	rec.Token.Prefix = "a\x00"
	for _, err := range []error{
		new(Store).Insert(t.Context(), rec, 0), // which asks nobody
		new(Store).Rotate(t.Context(), pat.Rotation{OldID: rec.Token.ID, At: created, End: created, New: rec}),
	} {
		argument, ok := assertArgument(t, err)
		require.True(t, ok, "%v", err)
		assert.Equal(t, "Token.Prefix", argument)
	}
}

func TestTheFirstAndTheLastTimeAreReadBack(t *testing.T) {
	s, rec := testStore(t), testRecord(1)
	rec.Token.CreatedAt = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	rec.Token.ExpiresAt = time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
	require.NoError(t, s.Insert(t.Context(), rec, 0))
	got, err := s.FindByPrefix(t.Context(), rec.Token.Prefix)
	require.NoError(t, err)
	assert.Equal(t, rec, got)
}

// The decoy is decoded like a usual token, or it would be found out.
func TestTheDecoyIsARowLikeAnyOther(t *testing.T) {
	s := testStore(t)
	var row [][]byte
	err := s.find(t.Context(), "look", s.stmts.byPrefix, []byte("absent"), func(values [][]byte) error {
		for _, value := range values {
			row = append(row, append([]byte(nil), value...))
		}
		rec, err := decode(values)
		assert.Equal(t, decoyPrefix, rec.Token.Prefix)
		assert.Equal(t, "sha256", rec.Digest.Algorithm())
		assert.Len(t, rec.Digest.Encoded(), len(testRecord(1).Digest.Encoded()))
		return err
	})
	require.NoError(t, err)
	assert.Len(t, row, len(columnTypes))
}

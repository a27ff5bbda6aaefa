package sqlite

import (
	"database/sql/driver"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/testscale"
)

func TestATokenIsReadInItsPackedFormAsColumnByColumn(t *testing.T) {
	for name, c := range map[string]struct {
		change   func(rec *pat.Record)
		unpacked bool // the packed form can't tell
	}{
		"a new token":               {func(*pat.Record) {}, false},
		"one with all of its times": {func(rec *pat.Record) { setTimes(&rec.Token) }, false},
		"one that was rotated": {func(rec *pat.Record) {
			rec.Token.RotatedFrom, rec.Token.RotatedTo = "0199c0de-0000-7000-8000-000000000007", "0199c0de-0000-7000-8000-000000000008"
		}, false},
		"one without scopes": {func(rec *pat.Record) { rec.Token.Scopes = pat.Scopes{} }, false},
		"one with a scope":   {func(rec *pat.Record) { rec.Token.Scopes, _ = pat.NewScopes("read") }, false},
		"the longest digest": {func(rec *pat.Record) {
			rec.Digest, _ = pat.ParseDigest("argon2id$$" + strings.Repeat("\x00\xff", 251))
		}, false},
		"a digest with separators":     {func(rec *pat.Record) { rec.Digest, _ = pat.ParseDigest("x$$\x1f\x1f\x1f\x1f\x1f") }, false},
		"text in other scripts":        {func(rec *pat.Record) { rec.Token.Name = "Zoë 日本語" }, false},
		"a user with a separator":      {func(rec *pat.Record) { rec.Token.UserID = "us\x1fer" }, true},
		"a group with a separator":     {func(rec *pat.Record) { rec.Token.GroupID = "\x1f\x1f" }, true},
		"a name with a separator":      {func(rec *pat.Record) { rec.Token.Name = "sha256$$\x1f" }, true},
		"a prefix with a separator":    {func(rec *pat.Record) { rec.Token.Prefix = "\x1f" }, true},
		"a text with a zero byte":      {func(rec *pat.Record) { rec.Token.Name = "na\x00me" }, false},
		"the mark of an equal time":    {func(rec *pat.Record) { rec.Token.UpdatedAt = time.UnixMicro(unchanged).UTC() }, true},
		"the first times that are not": {func(rec *pat.Record) { rec.Token.UpdatedAt = time.UnixMicro(256).UTC() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, rec := testStore(t, ":memory:"), testRecord(t)
			c.change(&rec)
			require.NoError(t, s.Insert(t.Context(), rec, 0))
			got, err := s.FindByPrefix(t.Context(), rec.Token.Prefix)
			require.NoError(t, err)
			assert.Equal(t, rec, got)
			session := sessions(s)[0]
			require.NoError(t, session.first(session.row[:packedColumns], session.reads.packed, rec.Token.Prefix))
			var packed pat.Record
			assert.Equal(t, !c.unpacked, unpack(session.row, &packed))
			if !c.unpacked {
				assert.Equal(t, rec, packed)
			}
		})
	}
}

func TestWhatIsShorterThanItsPartsIsNotUnpacked(t *testing.T) {
	row := make([]driver.Value, packedColumns)
	for _, text := range []driver.Value{nil, "", strings.Repeat("x", 15), strings.Repeat("x", 16+40)} {
		row[0], row[1] = text, int64(41)
		assert.False(t, unpack(row, new(pat.Record)))
	}
}

func setTimes(tok *pat.Token) {
	tok.UpdatedAt, tok.ExpiresAt = created.Add(time.Hour), created.Add(2*time.Hour)
	tok.LastUsedAt, tok.RevokedAt = created.Add(3*time.Hour), created.Add(4*time.Hour)
}

// The types of the table keep such values out, so they come into it by way of a table without types.
func TestCorruptColumnsAreErrorsOfTheLookUp(t *testing.T) {
	row, err := encode(testRecord(t))
	require.NoError(t, err)
	prefix := row[0]
	cells := 0
	for i, column := range strings.Split(columns, ", ") {
		if column == "prefix" {
			continue // by which the row is found
		}
		for _, value := range badValues(row)[column] {
			if value == true {
				continue // which SQLite has no type for
			}
			damaged := append([]driver.Value{}, row...)
			damaged[i] = value
			c := sessions(testStore(t, ":memory:"))[0]
			forceRows(t, c, damaged)
			got, err := c.lookUp(prefix.(string))
			assert.ErrorIs(t, err, pat.ErrCorrupt, "%s: %v", column, value)
			assert.ErrorContains(t, err, "column "+column, "%v", value)
			assert.Zero(t, got)
			cells++
		}
	}
	t.Logf("%d values of %d columns", cells, columnCount-1)
}

// Whatever the types and the bytes of a row are: its packed form is read as its columns are, or not at all.
func TestARandomRowIsReadInItsPackedFormAsColumnByColumn(t *testing.T) {
	whole, err := encode(testRecord(t))
	require.NoError(t, err)
	values := valuesOfAnyColumn(whole)
	rows := make([][]driver.Value, testscale.Rounds(t, 10_000, 200_000))
	for i := range rows {
		rows[i] = slices.Clone(whole)
		rows[i][0] = fmt.Sprint("prefix", i)
		for range 1 + rand.N(3) {
			rows[i][1+rand.N(columnCount-1)] = values[rand.N(len(values))]
		}
	}
	c := sessions(testStore(t, ":memory:"))[0]
	forceRows(t, c, rows...)
	unpacked := 0
	for _, row := range rows {
		var got pat.Record
		require.NoError(t, c.first(c.row[:packedColumns], c.reads.packed, row[0]))
		if !unpack(c.row[:packedColumns], &got) {
			continue
		}
		unpacked++
		want, err := c.find(c.reads.byPrefix, row[0])
		require.NoError(t, err, "%#v", row)
		require.Equal(t, want, got, "%#v", row)
	}
	t.Logf("%d rows, %d of them read in their packed form", len(rows), unpacked)
	require.NotZero(t, unpacked)
}

// valuesOfAnyColumn returns good and bad values, and such as look like those of a row but are of other types.
func valuesOfAnyColumn(row []driver.Value) []driver.Value {
	values := []driver.Value{"\x1f", "a\x1fb", "a\x00b", "", []byte{}, int64(unchanged), int64(256)}
	for _, bad := range badValues(row) {
		for _, value := range bad {
			if value != true { // which SQLite has no type for
				values = append(values, value)
			}
		}
	}
	for _, value := range row {
		switch v := value.(type) {
		case string:
			values = append(values, v, []byte(v))
		case []byte:
			values = append(values, v, string(v))
		case int64:
			values = append(values, v, float64(v), fmt.Sprint(v))
		}
	}
	return values
}

// forceRows puts rows in the table whatever the types of their values are.
func forceRows(t *testing.T, c *session, rows ...[]driver.Value) {
	t.Helper()
	script := valueOf(t, c, "SELECT sql FROM sqlite_schema WHERE name = 'pat_tokens'")
	require.NoError(t, c.exec("DROP TABLE pat_tokens; CREATE TABLE pat_tokens ("+
		strings.Replace(columns, "prefix", "prefix PRIMARY KEY", 1)+") WITHOUT ROWID; PRAGMA writable_schema = ON"))
	change := func(query string, rows ...[]driver.Value) {
		s, err := c.prepare(query)
		require.NoError(t, err)
		for _, row := range rows {
			n, err := c.change(s, row...)
			require.NoError(t, err)
			require.EqualValues(t, 1, n)
		}
	}
	change(insert, rows...)
	change("UPDATE sqlite_schema SET sql = ? WHERE name = 'pat_tokens'", []driver.Value{script})
	require.NoError(t, c.exec("PRAGMA writable_schema = RESET"))
}

// SQLite converts what it takes for text where a database's texts are in UTF-16.
func TestAHostsDatabaseMayHaveItsTextsInUTF16(t *testing.T) {
	for _, encoding := range []string{"UTF-16le", "UTF-16be"} {
		path := filepath.Join(t.TempDir(), "host.db")
		Execute(t, path, "PRAGMA encoding = '"+encoding+"'; CREATE TABLE host (x)")
		s, rec := testStore(t, path), testRecord(t)
		setTimes(&rec.Token)
		require.Equal(t, encoding, valueOf(t, s.readers.stack[0], "PRAGMA encoding"))
		require.NoError(t, s.Insert(t.Context(), rec, 0))
		got, err := s.FindByPrefix(t.Context(), rec.Token.Prefix)
		require.NoError(t, err)
		assert.Equal(t, rec, got)
		_, err = s.FindByPrefix(t.Context(), "absent")
		assert.Equal(t, pat.ErrNotFound, err)
	}
}

// The driver's and this package's allocations do not depend on the machine.
func TestALookUpMakesFewAllocations(t *testing.T) {
	s, rec := testStore(t, filepath.Join(t.TempDir(), "pat.db")), testRecord(t)
	rec.Token.ExpiresAt, rec.Token.LastUsedAt = created.Add(time.Hour), created
	rec.Token.Scopes, _ = pat.NewScopes("read")
	require.NoError(t, s.Insert(t.Context(), rec, 0))
	for prefix, most := range map[string]float64{rec.Token.Prefix: 8, "absent": 8} {
		n := testing.AllocsPerRun(100, func() { _, _ = s.FindByPrefix(t.Context(), prefix) })
		t.Logf("%.0f allocations", n)
		assert.LessOrEqual(t, n, most, prefix)
	}
}

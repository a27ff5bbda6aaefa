package sqlite_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/sqlite"
)

// Values of tokens, which testdata/vectors of the module has too.
const (
	validValue   = "pat_mavzfVABqZ5Y-sOOlB1f46RfHk7hp3ILTgK2y3mH3Uqtm0xFyWI"
	lateValue    = "pat_aFCrvkUb7keK-pQPXNubfuQPk3YWreXGJJ83LhPVhojEH3L008O"
	expiredValue = "pat_GM5tAtLB653m-iNgRXjCXFfyEhrqPjQvZVuNsZt7ba2pI4E7A3T"
	revokedValue = "pat_3V7JVth9dTwF-C4DMVLbwLeExzYaYnL4JNjHYDfdDUL9D3ChkiV"
	mixedValue   = "pat_mavzfVABqZ5Y-pQPXNubfuQPk3YWreXGJJ83LhPVhojEH3WiIUx"
	newValue     = "pat_NdeAm5Jraw8W-tJjMpAx122JcVOmyT6a02Dsw2TR1OoxF3sw156"
)

// damageTime is the present of the database that is damaged.
var damageTime = time.Date(2031, time.May, 1, 0, 0, 0, 0, time.UTC)

// wholeDatabase is what a process leaves that was killed: a database file, and a log with changes that are not yet in
// it. The pages are small, so that a few edits reach much.
type wholeDatabase struct{ file, log []byte }

func makeWholeDatabase(t testing.TB) wholeDatabase {
	t.Helper()
	path := filepath.Join(t.TempDir(), "whole.db")
	db, err := sql.Open("sqlite3", path)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), "PRAGMA page_size = 1024; VACUUM")
	require.NoError(t, err)
	require.NoError(t, db.Close())

	s, err := sqlite.Open(path)
	require.NoError(t, err)
	for i, value := range []string{validValue, expiredValue, revokedValue} {
		rec := damageRecord(t, value, i)
		if value == expiredValue {
			rec.Token.ExpiresAt = damageTime
		}
		require.NoError(t, s.Insert(t.Context(), rec, 0))
	}
	for i := range 6 { // so that there is more than one page of tokens
		require.NoError(t, s.Insert(t.Context(), damageRecord(t, fmt.Sprintf("pat_filler%06d-", i), 10+i), 0))
	}
	require.NoError(t, s.Close()) // which folds the log into the file

	s, err = sqlite.Open(path)
	require.NoError(t, err)
	_, _, err = s.Revoke(t.Context(), damageRecord(t, revokedValue, 2).Token.ID, damageTime)
	require.NoError(t, err)
	require.NoError(t, s.Insert(t.Context(), damageRecord(t, lateValue, 3), 0))
	var whole wholeDatabase
	whole.file, err = os.ReadFile(path)
	require.NoError(t, err)
	whole.log, err = os.ReadFile(path + "-wal")
	require.NoError(t, err)
	require.NoError(t, s.Close())
	return whole
}

// damageRecord is the record of a value that is valid, with an id made from a number.
func damageRecord(t testing.TB, value string, id int) pat.Record {
	t.Helper()
	sum := sha256.Sum256([]byte(value))
	digest, err := pat.ParseDigest("sha256$$" + string(sum[:]))
	require.NoError(t, err)
	return pat.Record{Digest: digest, Token: pat.Token{
		ID: fmt.Sprintf("0199c0de-0000-7000-8000-%012d", id), Prefix: value[4:16], UserID: "user", GroupID: "group", Name: "name",
		CreatedAt: damageTime.Add(-time.Hour), UpdatedAt: damageTime.Add(-time.Hour),
	}}
}

// write puts the database at path with the edits made: four bytes for each, which are the kind of the edit and the
// file, an offset of two bytes, and an argument.
func (whole wholeDatabase) write(t testing.TB, path string, edits []byte) {
	t.Helper()
	contents := [2][]byte{append([]byte{}, whole.file...), append([]byte{}, whole.log...)}
	for ; len(edits) >= 4; edits = edits[4:] {
		content := &contents[edits[0]&1]
		if len(*content) > 0 {
			at := int(binary.BigEndian.Uint16(edits[1:])) % len(*content)
			*content = edit(*content, edits[0]>>1%8, at, edits[3])
		}
	}
	require.NoError(t, os.WriteFile(path, contents[0], 0o600))
	if len(contents[1]) > 0 {
		require.NoError(t, os.WriteFile(path+"-wal", contents[1], 0o600))
	}
}

func edit(content []byte, kind byte, at int, argument byte) []byte {
	const page = 1024
	rest := content[at:]
	switch kind {
	case 0: // a byte set
		rest[0] = argument
	case 1: // a bit flipped
		rest[0] ^= 1 << (argument % 8)
	case 2: // a number counted up or down
		rest[0] += argument
	case 3: // a stretch of zeros
		clear(rest[:min(len(rest), 1+int(argument))])
	case 4: // a stretch moved, as when a write lands on the wrong place
		copy(rest, content[int(argument)*len(content)/256:][:min(len(rest), 16)])
	case 5: // a page in the place of another
		copy(content[at/page*page:], content[int(argument)*page%len(content):][:min(page, len(content)-int(argument)*page%len(content))])
	case 6: // the end cut off
		return content[:at]
	case 7: // zeros behind the end, as a file system may leave them
		return append(content, make([]byte, 4*int(argument))...)
	}
	return content
}

// plainRow is what a reader that knows nothing of this library finds in a row.
type plainRow struct{ prefix, digest, expiresAt, revokedAt any }

// readPlainly reads the tokens in another way than the store does: all of them, by no index. whole says that SQLite's
// own check finds nothing wrong, in which case every answer of the store has to be right.
func readPlainly(t testing.TB, path string) (rows map[any]plainRow, whole bool, err error) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	require.NoError(t, err)
	defer func() { _ = db.Close() }()
	verdict := ""
	whole = db.QueryRowContext(t.Context(), "PRAGMA integrity_check(1)").Scan(&verdict) == nil && verdict == "ok"
	rows, err = scanPlainly(t.Context(), db)
	return rows, whole && err == nil, err
}

func scanPlainly(ctx context.Context, db *sql.DB) (map[any]plainRow, error) {
	found, err := db.QueryContext(ctx, "SELECT CAST(prefix AS TEXT), digest, expires_at, revoked_at FROM pat_tokens NOT INDEXED")
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()
	rows := make(map[any]plainRow)
	for found.Next() {
		var row plainRow
		if err := found.Scan(&row.prefix, &row.digest, &row.expiresAt, &row.revokedAt); err != nil {
			return nil, err
		}
		rows[row.prefix] = row
	}
	return rows, found.Err()
}

// errNoVerdict is the verdict where the digest is not SHA-256: the store hands on what is well-formed, and a verifier
// that doesn't have the algorithm can say neither yes nor no.
var errNoVerdict = errors.New("a fault")

// verdict is what a verification of the value has to come to.
func verdict(rows map[any]plainRow, value string) error {
	row, found := rows[value[4:16]]
	if !found {
		return pat.ErrUnknown
	}
	sum := sha256.Sum256([]byte(value))
	digest, _ := row.digest.([]byte)
	expiresAt, expires := row.expiresAt.(int64)
	switch {
	case !strings.HasPrefix(string(digest), "sha256$$"):
		return errNoVerdict
	case string(digest) != "sha256$$"+string(sum[:]):
		return pat.ErrWrongSecret
	case row.revokedAt != nil:
		return pat.ErrRevoked
	case expires && expiresAt <= damageTime.UnixMicro():
		return pat.ErrExpired
	}
	return nil
}

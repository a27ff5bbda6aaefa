package benchmarks

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// verifyHandwritten is the verification that most services begin with: hash the value, look the hash up with a prepared
// database/sql statement, see whether it has expired or was revoked, and write down that it was used. The first form
// leaves the last step out: it is the bare SELECT of a row by its key. The others write at every request, as durable as
// this library's writes, and with synchronous=NORMAL.
//
// Less: no checksum, so that garbage costs a look-up; the hash is found by the index, so that the comparison is not in
// constant time; no rotation, no limit, no answer as to why something was refused; all requests wait for one another's
// writes. The table is the usual one, in which SQLite goes from the index to the row: two descents, where this
// library's table takes one. What leaks from the database is digests.
func verifyHandwritten(b *testing.B) {
	for _, n := range sizes(b, anySize) {
		verifyHandwrittenForm(b, "handwritten-select-only", n, syncFull, false)
	}
	verifyHandwrittenForm(b, "handwritten-records-every-use-normal", largest(b), syncNormal, true)
	verifyHandwrittenForm(b, "handwritten-records-every-use-full", largest(b), syncFull, true)
}

func verifyHandwrittenForm(b *testing.B, peer string, n int, options string, recordsUse bool) {
	b.Helper()
	b.Run(name(peer, "sqlite", n), func(b *testing.B) {
		path, valid := fillHandwritten(b, n)
		h := newHandwritten(b, database(b, path, options), recordsUse)
		measure(b, subject{verify: h.verify, valid: valid, refused: "tok_" + rand.Text()})
	})
}

const handwrittenSchema = `CREATE TABLE tokens (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, user_id TEXT NOT NULL,
	group_id TEXT NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL, expires_at INTEGER, revoked_at INTEGER, last_used_at INTEGER)`

const insertHandwritten = "INSERT INTO tokens (hash, user_id, group_id, name, scopes, expires_at) VALUES (?, ?, ?, ?, ?, ?)"

func handwrittenRow(value, owner, group string) []any {
	hash := sha256.Sum256([]byte(value))
	return []any{hash[:], owner, group, "deploy", "read", time.Now().Add(time.Hour).UnixMicro()}
}

func fillHandwritten(b *testing.B, n int) (path string, valid []credential) {
	b.Helper()
	path = filepath.Join(b.TempDir(), "tokens.db")
	_, err := database(b, path, syncFull).ExecContext(b.Context(), handwrittenSchema)
	require.NoError(b, err)
	valid = make([]credential, n)
	fill(b, path, insertHandwritten, n, func(i int) []any {
		valid[i] = credential{"tok_" + rand.Text(), owner(i)}
		return handwrittenRow(valid[i].value, valid[i].owner, fmt.Sprint(i/10))
	})
	return path, valid
}

type handwritten struct {
	find *sql.Stmt
	use  *sql.Stmt // nil if uses are not recorded
}

func newHandwritten(b *testing.B, db *sql.DB, recordsUse bool) *handwritten {
	b.Helper()
	find, err := db.PrepareContext(b.Context(), "SELECT id, user_id, name, scopes, expires_at, revoked_at, last_used_at FROM tokens WHERE hash = ?")
	require.NoError(b, err)
	h := &handwritten{find: find}
	if recordsUse {
		h.use, err = db.PrepareContext(b.Context(), "UPDATE tokens SET last_used_at = ? WHERE id = ?")
		require.NoError(b, err)
	}
	return h
}

func (h *handwritten) verify(ctx context.Context, value string) (string, error) {
	hash := sha256.Sum256([]byte(value))
	var (
		id                         int64
		userID, name, scopes       string
		expires, revoked, lastUsed sql.NullInt64
	)
	if err := h.find.QueryRowContext(ctx, hash[:]).Scan(&id, &userID, &name, &scopes, &expires, &revoked, &lastUsed); err != nil {
		return "", err // sql.ErrNoRows where it is unknown
	}
	now := time.Now().UnixMicro()
	if revoked.Valid || expires.Valid && expires.Int64 <= now {
		return "", errRefused
	}
	if h.use != nil {
		if _, err := h.use.ExecContext(ctx, now, id); err != nil {
			return "", err
		}
	}
	return userID, nil
}

package benchmarks

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/sqlite"
)

// verifyPATSQLite is this library over a SQLite file.
func verifyPATSQLite(b *testing.B) {
	for _, n := range sizes(b, anySize) {
		b.Run(name("pat", "sqlite", n), func(b *testing.B) {
			store, valid := inSQLite(b, n)
			measurePAT(b, store, recently, valid)
		})
	}
	verifyPATEveryUse(b)
}

// inSQLite returns a store with n tokens. It puts the rows into the file by hand, in one transaction, because each
// create of the library waits for the disk.
func inSQLite(b *testing.B, n int) (*sqlite.Store, []credential) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "pat.db")
	store, err := sqlite.Open(path) // makes the tables
	require.NoError(b, err)
	require.NoError(b, store.Close())

	records, valid := issue(b, n)
	// In the order of their keys, which is quicker.
	slices.SortFunc(records, func(x, y pat.Record) int { return strings.Compare(x.Token.Prefix, y.Token.Prefix) })
	fill(b, path, `INSERT INTO pat_tokens (prefix, id, digest, user_id, group_id, name, scopes, created_at, updated_at,
		expires_at, last_used_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, n, func(i int) []any {
		tok := &records[i].Token
		id := uuid.MustParse(tok.ID)
		return []any{
			tok.Prefix, id[:], []byte(records[i].Digest.Encoded()), tok.UserID, tok.GroupID, tok.Name, tok.Scopes.String(),
			tok.CreatedAt.UnixMicro(), tok.UpdatedAt.UnixMicro(), tok.ExpiresAt.UnixMicro(), tok.LastUsedAt.UnixMicro(),
		}
	})

	store, err = sqlite.Open(path)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, store.Close()) })
	return store, valid
}

package sqlite_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

// testdata/schema1.db is a database with schema version 1, as the first release made it, and schema1.json says what is
// in it. Neither may ever be changed or made again: they stand for the databases out there, which every later version
// has to open. A later schema gets files of its own beside them.
const (
	goldenDatabase = "testdata/schema1.db"
	goldenSum      = "d84aba3c662d156bef869e8e649679c91eff244c9acb493ce086bf189dadbddd" // SHA-256
)

// golden is what schema1.json holds.
type golden struct {
	Now     time.Time // when the values are looked at
	Records []struct {
		Value  string
		Fails  string // why verifying fails, or ""
		Digest []byte
		Token  struct {
			ID, UserID, GroupID, Name, TokenPrefix, RotatedFrom, RotatedTo string
			CreatedAt, UpdatedAt, ExpiresAt, LastUsedAt, RevokedAt         time.Time
			Scopes                                                         []string
		}
	}
}

func TestADatabaseOfTheFirstReleaseIsReadAsItWasWritten(t *testing.T) {
	var want golden
	content, err := os.ReadFile("testdata/schema1.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(content, &want))
	require.Len(t, want.Records, 6)
	s := open(t, goldenCopy(t))
	verifier, err := pat.NewVerifier(s, pat.Config{Now: func() time.Time { return want.Now }})
	require.NoError(t, err)
	defer func() { require.NoError(t, verifier.Close(context.Background())) }()
	reasons := map[string]error{"expired": pat.ErrExpired, "revoked": pat.ErrRevoked}
	for _, r := range want.Records {
		scopes, err := pat.NewScopes(r.Token.Scopes...)
		require.NoError(t, err)
		token := pat.Token{
			ID: r.Token.ID, UserID: r.Token.UserID, GroupID: r.Token.GroupID, Name: r.Token.Name, Prefix: r.Token.TokenPrefix,
			Scopes: scopes, CreatedAt: r.Token.CreatedAt, UpdatedAt: r.Token.UpdatedAt, ExpiresAt: r.Token.ExpiresAt,
			LastUsedAt: r.Token.LastUsedAt, RevokedAt: r.Token.RevokedAt, RotatedFrom: r.Token.RotatedFrom, RotatedTo: r.Token.RotatedTo,
		}
		rec, err := s.FindByPrefix(t.Context(), token.Prefix)
		require.NoError(t, err)
		assert.Equal(t, token, rec.Token)
		assert.Equal(t, string(r.Digest), rec.Digest.Encoded())
		_, err = verifier.Verify(t.Context(), r.Value)
		assert.Equal(t, reasons[r.Fails], err, token.Name)
	}
	tokens, err := s.List(t.Context(), pat.ListQuery{Owner: pat.Owner{GroupID: "2"}, IncludeRevoked: true, Limit: 10})
	require.NoError(t, err)
	assert.Len(t, tokens, 3)
	create(t, s)
}

// A migration that was released must not be edited. If one is, old databases and new ones differ from then on.
func TestADatabaseOfTheFirstReleaseGetsTheSchemaOfANewOne(t *testing.T) {
	old, fresh := goldenCopy(t), filepath.Join(t.TempDir(), "pat.db")
	assert.Equal(t, schemaOf(t, fresh), schemaOf(t, old))
}

// goldenCopy copies the database, because opening one writes to its file.
func goldenCopy(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(goldenDatabase)
	require.NoError(t, err)
	sum := sha256.Sum256(content)
	require.Equal(t, goldenSum, hex.EncodeToString(sum[:]), "the file was changed; take it back")
	path := filepath.Join(t.TempDir(), "pat.db")
	require.NoError(t, os.WriteFile(path, content, 0o600)) //nolint:gosec // in the folder of this test
	return path
}

// schemaOf opens a store at path and returns the statements that make its tables and indexes.
func schemaOf(t *testing.T, path string) map[string]string {
	t.Helper()
	open(t, path)
	db, err := sql.Open("sqlite3", path)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	rows, err := db.QueryContext(t.Context(), "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	schema := make(map[string]string)
	for rows.Next() {
		var name, statement string
		require.NoError(t, rows.Scan(&name, &statement))
		schema[name] = statement
	}
	require.NoError(t, rows.Err())
	require.NotEmpty(t, schema)
	return schema
}

package benchmarks

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"path/filepath"
	"testing"
	"time"

	"github.com/alexedwards/scs/sqlite3store"
	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/stretchr/testify/require"
)

// The peer here is github.com/alexedwards/scs: server-side sessions. Each verification loads the session as its
// middleware does, and takes the user from it; the cookie, and the response that the middleware wraps, are left out.
//
// More: a session holds any values, which are decoded from gob at each load, and can be written back; it can end when
// it is idle, which is not set here, as each load would then be a write. Less: no scopes, no last-used time, no list of
// what an owner has, no limit; the value has no checksum, so that garbage costs a look-up. Revocation works the same,
// by taking the row away. What leaks from the database is live credentials: the token itself is the key, unless
// HashTokenInStore is set, which it isn't by default. It is found by the index of the database, so that the comparison
// is not in constant time.

func verifySCSMemory(b *testing.B) {
	for _, n := range sizes(b, anySize) {
		b.Run(name("scs", "memory", n), func(b *testing.B) {
			manager := scs.New()
			manager.Store = memstore.NewWithCleanupInterval(0)
			valid := make([]credential, n)
			for i := range valid {
				ctx, err := manager.Load(b.Context(), "")
				require.NoError(b, err)
				manager.Put(ctx, "user", owner(i))
				value, _, err := manager.Commit(ctx)
				require.NoError(b, err)
				valid[i] = credential{value, owner(i)}
			}
			measureSCS(b, manager, valid)
		})
	}
}

func verifySCSSQLite(b *testing.B) {
	for _, n := range sizes(b, anySize) {
		b.Run(name("scs", "sqlite", n), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "sessions.db")
			db := database(b, path, syncFull)
			// As its documentation has it.
			_, err := db.ExecContext(b.Context(), `CREATE TABLE sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL);
				CREATE INDEX sessions_expiry_idx ON sessions(expiry)`)
			require.NoError(b, err)
			manager := scs.New()
			manager.Store = sqlite3store.NewWithCleanupInterval(db, 0)
			valid := make([]credential, n)
			deadline := time.Now().Add(manager.Lifetime).UTC()
			fill(b, path, "INSERT INTO sessions VALUES (?, ?, julianday(?))", n, func(i int) []any {
				data, err := manager.Codec.Encode(deadline, map[string]any{"user": owner(i)})
				require.NoError(b, err)
				valid[i] = credential{sessionToken(), owner(i)}
				return []any{valid[i].value, data, deadline.Format("2006-01-02T15:04:05.999")}
			})
			measureSCS(b, manager, valid)
		})
	}
}

func measureSCS(b *testing.B, manager *scs.SessionManager, valid []credential) {
	b.Helper()
	measure(b, subject{
		verify: func(ctx context.Context, value string) (string, error) {
			ctx, err := manager.Load(ctx, value)
			if err != nil {
				return "", err
			}
			user := manager.GetString(ctx, "user")
			if user == "" { // an unknown token begins a new session
				return "", errRefused
			}
			return user, nil
		},
		valid:   valid,
		refused: sessionToken(),
	})
}

// sessionToken is of the form that scs gives out.
func sessionToken() string {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails, as its documentation says
	return base64.RawURLEncoding.EncodeToString(random)
}

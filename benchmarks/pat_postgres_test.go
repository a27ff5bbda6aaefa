package benchmarks

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/postgres"
)

// verifyPATPostgres is this library over PostgreSQL on the same machine, without a cache. Without PAT_TEST_POSTGRES it
// is left out.
func verifyPATPostgres(b *testing.B) {
	url := os.Getenv("PAT_TEST_POSTGRES")
	if url == "" {
		return
	}
	for _, n := range sizes(b, anySize) {
		b.Run(name("pat", "postgres", n), func(b *testing.B) {
			store, pool, schema := inPostgres(b, url)
			records, valid := issue(b, n)
			copyIn(b, pool, schema, records)
			measurePAT(b, store, recently, valid)
		})
	}
}

// copyIn puts rows into the table by hand, which is quicker than Store.Merge, and lets the server settle.
func copyIn(b *testing.B, pool *pgxpool.Pool, schema string, records []pat.Record) {
	b.Helper()
	table := pgx.Identifier{schema, "pat_tokens"}
	_, err := pool.CopyFrom(b.Context(), table, []string{
		"prefix", "id", "digest", "user_id", "group_id", "name", "scopes", "created_at", "updated_at", "expires_at", "last_used_at",
	}, pgx.CopyFromSlice(len(records), func(i int) ([]any, error) {
		tok := &records[i].Token
		return []any{
			tok.Prefix, tok.ID, []byte(records[i].Digest.Encoded()), tok.UserID, tok.GroupID, tok.Name, tok.Scopes.String(),
			tok.CreatedAt, tok.UpdatedAt, tok.ExpiresAt, tok.LastUsedAt,
		}, nil
	}))
	require.NoError(b, err)
	_, err = pool.Exec(b.Context(), "VACUUM ANALYZE "+table.Sanitize())
	require.NoError(b, err)
}

// inPostgres returns an empty store in a schema of its own, which is dropped at the end.
func inPostgres(b *testing.B, url string) (*postgres.Store, *pgxpool.Pool, string) {
	b.Helper()
	config, err := pgxpool.ParseConfig(url)
	require.NoError(b, err)
	config.MaxConns = max(config.MaxConns, mostCallers) // one for each caller
	pool, err := pgxpool.NewWithConfig(b.Context(), config)
	require.NoError(b, err)
	b.Cleanup(pool.Close)
	schema := "benchmark_" + strings.ToLower(rand.Text())
	b.Cleanup(func() {
		_, err := pool.Exec(context.Background(), "DROP SCHEMA IF EXISTS "+pgx.Identifier{schema}.Sanitize()+" CASCADE")
		require.NoError(b, err)
	})
	store, err := postgres.New(b.Context(), pool, postgres.WithSchema(schema))
	require.NoError(b, err)
	return store, pool, schema
}

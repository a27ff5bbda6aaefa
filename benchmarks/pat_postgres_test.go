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

// mostInPostgres keeps the time for filling within bounds.
const mostInPostgres = 100_000

// verifyPATPostgres is this library over PostgreSQL on the same machine, without a cache. Without PAT_TEST_POSTGRES it
// is left out.
func verifyPATPostgres(b *testing.B) {
	url := os.Getenv("PAT_TEST_POSTGRES")
	if url == "" {
		return
	}
	for _, n := range sizes(b, mostInPostgres) {
		b.Run(name("pat", "postgres", n), func(b *testing.B) {
			store := inPostgres(b, url)
			records, valid := issue(b, n)
			_, err := store.Merge(b.Context(), func(yield func(pat.Record, error) bool) {
				for _, rec := range records {
					if !yield(rec, nil) {
						return
					}
				}
			})
			require.NoError(b, err)
			measurePAT(b, store, recently, valid)
		})
	}
}

// inPostgres returns an empty store in a schema of its own, which is dropped at the end.
func inPostgres(b *testing.B, url string) *postgres.Store {
	b.Helper()
	pool, err := pgxpool.New(b.Context(), url)
	require.NoError(b, err)
	b.Cleanup(pool.Close)
	schema := "benchmark_" + strings.ToLower(rand.Text())
	b.Cleanup(func() {
		_, err := pool.Exec(context.Background(), "DROP SCHEMA IF EXISTS "+pgx.Identifier{schema}.Sanitize()+" CASCADE")
		require.NoError(b, err)
	})
	store, err := postgres.New(b.Context(), pool, postgres.WithSchema(schema))
	require.NoError(b, err)
	return store
}

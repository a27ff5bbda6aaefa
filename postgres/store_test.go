package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/pgtest"
	"github.com/patkit/pat/postgres"
	"github.com/patkit/pat/storetest"
)

func TestStore(t *testing.T) {
	pool := pgtest.Pool(t)
	storetest.Run(t, func(t *testing.T) pat.Store { return open(t, pool) })
}

func TestStoreBehindATransactionPooler(t *testing.T) {
	pool := pgtest.Pool(t)
	storetest.Run(t, func(t *testing.T) pat.Store { return open(t, pool, postgres.WithTransactionPooler()) })
}

// The methods choose the isolation they need, and don't rely on what the pool has by default.
func TestStoreOnAPoolOfAnotherIsolation(t *testing.T) {
	for _, level := range []string{"repeatable read", "serializable"} {
		t.Run(level, func(t *testing.T) {
			pool := pgtest.Pool(t, func(c *pgxpool.Config) {
				c.ConnConfig.RuntimeParams["default_transaction_isolation"] = level
			})
			storetest.Run(t, func(t *testing.T) pat.Store { return open(t, pool) })
		})
	}
}

func BenchmarkStore(b *testing.B) {
	pool := pgtest.Pool(b)
	storetest.Benchmark(b, func(b *testing.B) pat.Store { return open(b, pool) })
}

// open opens a store in a schema of its own.
func open(t testing.TB, pool *pgxpool.Pool, opts ...postgres.Option) *postgres.Store {
	t.Helper()
	return openIn(t, pool, pgtest.Schema(t), opts...)
}

func openIn(t testing.TB, pool *pgxpool.Pool, schema string, opts ...postgres.Option) *postgres.Store {
	t.Helper()
	s, err := postgres.New(t.Context(), pool, append(opts, postgres.WithSchema(schema))...)
	require.NoError(t, err)
	return s
}

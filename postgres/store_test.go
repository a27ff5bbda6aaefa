package postgres

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/pgtest"
	"github.com/patkit/pat/internal/testscale"
	"github.com/patkit/pat/storetest"
)

func TestStore(t *testing.T) {
	schema := pgtest.Schema(t)
	conform(t, openIn(t, pgtest.Pool(t, hurried), schema))
}

func TestStoreBehindATransactionPooler(t *testing.T) {
	schema := pgtest.Schema(t)
	s := openIn(t, pgtest.Pool(t, hurried), schema, WithTransactionPooler())
	conform(t, s)
	const query = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'pat\\_%'"
	conns := s.pool.AcquireAllIdle(t.Context())
	if len(conns) == 0 {
		t.Error("no connection is left to be looked at")
	}
	for _, conn := range conns {
		var n int
		if err := conn.QueryRow(t.Context(), query, pgx.QueryExecModeSimpleProtocol).Scan(&n); err != nil || n > 0 {
			t.Errorf("%d statements are prepared under a name, error %v", n, err)
		}
		conn.Release()
	}
}

// The methods choose the isolation that they need, and don't rely on what the pool has by default.
func TestStoreOnAPoolOfAnotherIsolation(t *testing.T) {
	levels := []string{"serializable", "repeatable read"}
	for _, level := range levels[:testscale.Rounds(t, 1, len(levels))] {
		t.Run(level, func(t *testing.T) {
			schema := pgtest.Schema(t)
			pool := pgtest.Pool(t, hurried, func(c *pgxpool.Config) {
				c.ConnConfig.RuntimeParams["default_transaction_isolation"] = level
			})
			conform(t, openIn(t, pool, schema))
		})
	}
}

func BenchmarkStore(b *testing.B) {
	pool := pgtest.Pool(b)
	storetest.Benchmark(b, func(b *testing.B) pat.Store { return open(b, pool) })
}

// conform runs the suite on a store that is emptied for each case, which takes less time than a new schema.
func conform(t *testing.T, s *Store) {
	t.Helper()
	storetest.Run(t, func(t *testing.T) pat.Store {
		if _, err := s.pool.Exec(t.Context(), "DELETE FROM "+s.table()); err != nil {
			t.Fatal(err)
		}
		return s
	})
}

package postgres

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/patkit/pat/internal/pgtest"
	"github.com/patkit/pat/internal/testscale"
)

// BenchmarkPartitions measures the calls in a table that is partitioned, and in one with the same tokens that is not,
// and what it takes to look after them. In full it takes some 15 minutes.
func BenchmarkPartitions(b *testing.B) {
	pool := pgtest.Pool(b)
	one, many := open(b, pool), open(b, pool)
	contents := fillScaled(b, one, testscale.Rounds(b, 10_000, 10_000_000))
	dropIndexes(b, many)
	elapsed(b, many, "INSERT INTO "+many.table()+" SELECT * FROM "+one.table())
	start := time.Now()
	many.partition(b, 16)
	b.Logf("%v: partition.sql", time.Since(start))
	// The planner prefers to plan each call anew, when it sees the partition, which costs more than the call.
	generic := openIn(b, pgtest.Pool(b, func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_generic_plan" }), many.schema)
	benchmarkScaled(b, []*scaled{
		newScaled(b, "plain", one, contents), newScaled(b, "partitioned", many, contents), newScaled(b, "partitioned-generic", generic, contents),
	})

	// One token in a hundred or so is deleted for the vacuum to have what it usually has.
	for _, s := range []*Store{one, many} {
		elapsed(b, s, "DELETE FROM "+s.table()+" WHERE revoked_at < (SELECT percentile_disc(0.2) WITHIN GROUP (ORDER BY revoked_at) FROM "+s.table()+")")
	}
	for _, s := range []struct {
		*Store
		table string
	}{{one, one.table()}, {many, `"` + many.schema + `".pat_tokens_0`}, {many, many.table()}} {
		elapsed(b, s.Store, "VACUUM (INDEX_CLEANUP ON) "+s.table)
		elapsed(b, s.Store, "REINDEX TABLE "+s.table)
	}
}

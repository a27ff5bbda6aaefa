package postgres

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/internal/tokenrow"
)

// Each of the statements has to find its rows through an index, and come by their order without sorting more than it is
// to lock. The plans are the generic ones, which don't know the arguments, of a table with statistics.
func TestNoStatementScansOrSorts(t *testing.T) {
	s := testStore(t)
	const half = " SELECT 'Prefix' || n, gen_random_uuid(), 'sha256$$x', 'user-' || n % 10000, 'group-' || n % 5000, 'name', 'read', " +
		"now() - n * interval '1 minute', now() - n * interval '1 minute', now() + (n - 1000) * interval '1 minute', NULL, "
	s.sql(t, "INSERT INTO pat_tokens"+half+"NULL FROM generate_series(1, 40000) AS n")
	s.sql(t, "INSERT INTO pat_tokens"+half+"now() - n * interval '1 minute' FROM generate_series(40001, 80000) AS n")
	s.sql(t, "VACUUM ANALYZE pat_tokens")

	const key, id = "Index Scan using pat_tokens_pkey", "Index Scan using pat_tokens_id_key"
	type want struct {
		indexes []string
		sorts   int
	}
	plans := map[*statement]want{
		s.stmts.byPrefix: {indexes: []string{key}}, s.stmts.byID: {indexes: []string{id}}, s.stmts.lookByID: {indexes: []string{id}}, s.stmts.lockByID: {indexes: []string{id}},
		s.stmts.revoke: {indexes: []string{id}}, s.stmts.end: {indexes: []string{id}}, s.stmts.replaceDigest: {indexes: []string{key}},
		s.stmts.clash:        {indexes: []string{"on pat_tokens_pkey", "on pat_tokens_id_key"}},
		s.stmts.insertWithin: {indexes: []string{"Index Only Scan using pat_tokens_group_live"}},
		s.stmts.touch:        {indexes: []string{key}, sorts: 1},
		s.stmts.purge:        {indexes: []string{"using pat_tokens_revoked", "using pat_tokens_expiring", key}},
	}
	for _, kind := range tokenrow.ListKinds() {
		owner := "pat_tokens_group"
		if kind.ByUser {
			owner = "pat_tokens_user"
		}
		live := "Index Scan Backward using " + owner + "_live"
		if kind.IncludeRevoked {
			plans[s.stmts.lists[kind]] = want{indexes: []string{"Merge Append", live, "Index Scan Backward using " + owner + "_revoked"}}
			continue
		}
		plans[s.stmts.lists[kind]] = want{indexes: []string{live}}
		plans[s.stmts.revokeAll[kind]] = want{indexes: []string{owner + "_live", key}, sorts: 1}
	}
	for stmt, want := range plans {
		plan := explain(t, s, stmt)
		for _, index := range want.indexes {
			assert.Contains(t, plan, index, stmt.SQL)
		}
		assert.NotContains(t, plan, "Seq Scan", stmt.SQL)
		assert.Equal(t, want.sorts, strings.Count(plan, "->  Sort\n"), "%s\n%s", stmt.SQL, plan)
	}
	for _, stmt := range s.stmts.lists {
		assert.Contains(t, explain(t, s, stmt), "(ROW(created_at, id) < ROW($1, $2))", "a page begins in the index")
	}
}

// explain returns the generic plan.
func explain(t *testing.T, s *Store, stmt *statement) string {
	t.Helper()
	conn, err := s.pool.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	pg := conn.Conn().PgConn()
	_, err = pg.Prepare(t.Context(), stmt.Name+"_plan", stmt.SQL, stmt.ParamOIDs)
	require.NoError(t, err)
	arguments := strings.TrimSuffix(strings.Repeat("NULL, ", len(stmt.ParamOIDs)), ", ")
	results, err := pg.Exec(t.Context(), fmt.Sprintf("SET plan_cache_mode = force_generic_plan; EXPLAIN (VERBOSE false, COSTS false) EXECUTE %s_plan (%s); "+
		"RESET plan_cache_mode; DEALLOCATE %s_plan", stmt.Name, arguments, stmt.Name)).ReadAll()
	require.NoError(t, err)
	var plan strings.Builder
	for _, row := range results[1].Rows {
		plan.Write(row[0])
		plan.WriteByte('\n')
	}
	return plan.String()
}

package sqlite

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each of the statements has to find its rows through an index, and come by their order without sorting.
func TestNoStatementScansOrSorts(t *testing.T) {
	s := testStore(t, ":memory:")
	queries := map[string]string{
		findByPrefixOrDecoy: "PRIMARY KEY (prefix=?)", findByID: "pat_tokens_id (id=?)", countGroup: "COVERING INDEX pat_tokens_group_live (group_id=?)",
		revoke: "pat_tokens_id (id=?)", touch: "PRIMARY KEY (prefix=?)", replaceDigest: "PRIMARY KEY (prefix=?)", endOld: "pat_tokens_id (id=?)",
		purge: "pat_tokens_expiring (expires_at<?)", clash: "MULTI-INDEX OR",
	}
	for _, kind := range listKinds {
		index, _ := kind.owner()
		queries[kind.query()] = index + "_live"
		queries[revokeAll(kind)] = index + "_live"
	}
	for query, index := range queries {
		plan := explain(t, s, query)
		assert.Contains(t, plan, index, query)
		assert.NotContains(t, plan, "SCAN pat_tokens", query)
		assert.NotContains(t, plan, "TEMP B-TREE FOR", query)
	}
	for _, kind := range listKinds {
		plan := explain(t, s, kind.query())
		assert.Contains(t, plan, "created_at,id)<(?,?)", "a page begins in the index: %s", kind.query())
		assert.Equal(t, kind.includeRevoked, strings.Contains(plan, "_revoked"), kind.query())
	}
	assert.Contains(t, explain(t, s, purge), "pat_tokens_revoked (revoked_at<?)")
}

func explain(t *testing.T, s *Store, query string) string {
	t.Helper()
	args := make([]any, strings.Count(columns, ",")+1)
	stmt, err := sessions(s)[0].conn.PrepareContext(t.Context(), "EXPLAIN QUERY PLAN "+query)
	require.NoError(t, err)
	defer func() { require.NoError(t, stmt.Close()) }()
	var rows *sql.Rows
	for n := range len(args) + 1 { // as many as the statement has
		if rows, err = stmt.QueryContext(t.Context(), args[:n]...); err == nil {
			break
		}
	}
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var detail string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
		plan.WriteString(detail + "\n")
	}
	require.NoError(t, rows.Err())
	return plan.String()
}

package sqlite

import (
	"database/sql/driver"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/internal/tokenrow"
)

// Each of the statements has to find its rows through an index, and come by their order without sorting.
func TestNoStatementScansOrSorts(t *testing.T) {
	s := testStore(t, ":memory:")
	queries := map[string]string{
		findByPrefixOrDecoy: "PRIMARY KEY (prefix=?)",
		findPacked:          "PRIMARY KEY (prefix=?)",
		findByID:            "pat_tokens_id (id=?)",
		nextRecords:         "PRIMARY KEY (prefix>?)",
		countGroup:          "COVERING INDEX pat_tokens_group_live (group_id=?)",
		clash:               "MULTI-INDEX OR",
		revoke:              "pat_tokens_id (id=?)",
		touch:               "PRIMARY KEY (prefix=?)",
		replaceDigest:       "PRIMARY KEY (prefix=?)",
		endOld:              "pat_tokens_id (id=?)",
		purge:               "pat_tokens_expiring (expires_at<?)",
	}
	for _, kind := range tokenrow.ListKinds() {
		index, _ := ownerOf(kind)
		queries[listQuery(kind)] = index + "_live"
		queries[revokeAll(kind)] = index + "_live"
	}
	for query, index := range queries {
		plan := explain(t, s, query)
		assert.Contains(t, plan, index, query)
		assert.NotContains(t, plan, "SCAN pat_tokens", query)
		assert.NotContains(t, plan, "TEMP B-TREE FOR", query)
		assert.NotContains(t, query, "LIMIT ?", "see session.prepare")
	}
	for _, kind := range tokenrow.ListKinds() {
		plan := explain(t, s, listQuery(kind))
		assert.Contains(t, plan, "created_at,id)<(?,?)", "a page begins in the index: %s", listQuery(kind))
		assert.Equal(t, kind.IncludeRevoked, strings.Contains(plan, "_revoked"), listQuery(kind))
	}
	assert.Contains(t, explain(t, s, purge), "pat_tokens_revoked (revoked_at<?)")
}

func explain(t *testing.T, s *Store, query string) string {
	t.Helper()
	c := sessions(s)[0]
	explained, err := c.prepare("EXPLAIN QUERY PLAN " + query)
	require.NoError(t, err)
	rows, err := c.query(t.Context(), explained, make([]driver.Value, explained.NumInput())...)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var plan strings.Builder
	row := make([]driver.Value, 4) // id, parent, unused, detail
	for err = rows.Next(row); err == nil; err = rows.Next(row) {
		plan.WriteString(row[3].(string) + "\n")
	}
	require.ErrorIs(t, err, io.EOF)
	return plan.String()
}

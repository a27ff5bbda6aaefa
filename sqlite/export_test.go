package sqlite

import (
	"database/sql"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// Execute runs SQL on a database as any other program would, not through a Store.
func Execute(t *testing.T, path, script string) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.ExecContext(t.Context(), script)
	require.NoError(t, err)
}

// valueOf returns the only column of a query's first row.
func valueOf(t testing.TB, c *session, query string) any {
	t.Helper()
	value, err := readValue(c.conn, query)
	require.NoError(t, err)
	return value
}

// LimitPages sets how many pages the database may have.
func (s *Store) LimitPages(pages int) error {
	return sessions(s)[0].exec("PRAGMA max_page_count = " + strconv.Itoa(pages))
}

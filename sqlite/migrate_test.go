package sqlite

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newFaultySession returns the first session of a new database, whose driver fails when it is told to.
func newFaultySession(t *testing.T) (*session, *injector) {
	t.Helper()
	file, err := findFile(filepath.Join(t.TempDir(), "pat.db"))
	require.NoError(t, err)
	t.Cleanup(file.cleanUp)
	faults := new(injector)
	conn, err := newConnector(file, roleWriter, options{busyTimeout: time.Second}).connect()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return newSession(&faultyConn{conn, faults}), faults
}

// TestEveryStatementOfTheMigrationsFails lets the driver fail at each statement in turn, before and after it ran.
func TestEveryStatementOfTheMigrationsFails(t *testing.T) {
	c, faults := newFaultySession(t)
	require.NoError(t, migrate(c, time.Second))
	statements := faults.seen
	for n, statement := range statements {
		for _, done := range []bool{false, true} {
			name := fmt.Sprintf("%s, number %d, ran %t", statement, n+1, done)
			c, faults := newFaultySession(t)
			faults.arm(n+1, done)
			require.ErrorIs(t, migrate(c, time.Second), errDisk, name)
			faults.arm(0, false)
			tables := valueOf(t, c, "SELECT count(*) FROM sqlite_schema")
			assert.Equal(t, done && statement == "COMMIT", tables != int64(0), "all or nothing: %s", name)
			if done && statement == "BEGIN IMMEDIATE" {
				require.NoError(t, c.exec("ROLLBACK")) // Open closes the connection, which does the same
			}
			require.NoError(t, migrate(c, time.Second), "it works when it is tried again: %s", name)
		}
	}
	t.Logf("%d statements, before and after each ran", len(statements))
}

// The first look, when the connection is made, is in no transaction: another process may come in between.
func TestASchemaThatBecameNewerAfterTheFirstLookIsRefused(t *testing.T) {
	c, _ := newFaultySession(t)
	require.NoError(t, migrate(c, time.Second))
	require.NoError(t, c.exec("INSERT INTO pat_schema (version, applied_at) VALUES (99, 0)"))
	assert.ErrorIs(t, migrate(c, time.Second), ErrNewerSchema)
}

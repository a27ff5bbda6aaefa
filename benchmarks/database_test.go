package benchmarks

import (
	"database/sql"
	"runtime"
	"testing"

	_ "github.com/mattn/go-sqlite3" // the driver that package sqlite uses
	"github.com/stretchr/testify/require"
)

// How a database is opened: as durable as package sqlite has it; as most programs have it, where a commit survives a
// crash of the program and not always one of the machine; and for filling one quickly.
const (
	syncFull   = "?_journal_mode=WAL&_busy_timeout=10000&_txlock=immediate&_synchronous=FULL"
	syncNormal = "?_journal_mode=WAL&_busy_timeout=10000&_txlock=immediate&_synchronous=NORMAL"
	syncOff    = "?_journal_mode=WAL&_busy_timeout=10000&_txlock=immediate&_synchronous=OFF&_cache_size=-2000000"
)

// database opens a SQLite file with database/sql, as a program without this library would.
func database(b *testing.B, path, options string) *sql.DB {
	b.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+options)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	// As whoever serves requests on all cores sets it. By default two are kept, and a machine with more cores would
	// open and close a file all the time.
	db.SetMaxIdleConns(max(2, runtime.GOMAXPROCS(0)))
	return db
}

// fill inserts n rows in one transaction.
func fill(b *testing.B, path, insert string, n int, row func(i int) []any) {
	b.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+syncOff)
	require.NoError(b, err)
	tx, err := db.BeginTx(b.Context(), nil)
	require.NoError(b, err)
	stmt, err := tx.PrepareContext(b.Context(), insert)
	require.NoError(b, err)
	for i := range n {
		_, err := stmt.ExecContext(b.Context(), row(i)...)
		require.NoError(b, err)
	}
	require.NoError(b, tx.Commit())
	require.NoError(b, db.Close()) // folds the log into the file
}

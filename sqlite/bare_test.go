package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

// The functions here are the floors of the benchmarks: what a program that uses database/sql by itself would do.

// errAnother is that of a SELECT which found another token than it was asked for.
var errAnother = errors.New("another token")

// bare opens a database as a program without this library would.
func bare(b *testing.B, path string) *sql.DB {
	b.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate")
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	return db
}

// selectBare reads all columns of a token.
func selectBare(ctx context.Context, stmt *sql.Stmt, key string) error {
	var prefix, userID, groupID, name, scopes string
	var id, digest, rotatedFrom, rotatedTo []byte
	var createdAt, updatedAt int64
	var expiresAt, lastUsedAt, revokedAt sql.NullInt64
	err := stmt.QueryRowContext(ctx, key).Scan(&prefix, &id, &digest, &userID, &groupID, &name, &scopes,
		&createdAt, &updatedAt, &expiresAt, &lastUsedAt, &revokedAt, &rotatedFrom, &rotatedTo)
	if err == nil && prefix != key {
		return errAnother
	}
	return err
}

// prepareInsert prepares the statement of insertBare.
func prepareInsert(b *testing.B, db *sql.DB) *sql.Stmt {
	b.Helper()
	stmt, err := db.PrepareContext(b.Context(), "INSERT INTO pat_tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
	require.NoError(b, err)
	return stmt
}

// bareRows are the columns of records, as database/sql takes them.
func bareRows(b *testing.B, records []pat.Record) [][]any {
	b.Helper()
	rows := make([][]any, len(records))
	for i, rec := range records {
		row, err := encode(rec)
		require.NoError(b, err)
		for _, value := range row {
			rows[i] = append(rows[i], value)
		}
	}
	return rows
}

// insertBare adds a row in a transaction of its own.
func insertBare(ctx context.Context, db *sql.DB, stmt *sql.Stmt, row []any) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if _, err := tx.StmtContext(ctx, stmt).ExecContext(ctx, row...); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}

package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The migrations, in the order of their names. One that was released is never changed.
//
//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrationNames returns the names, sorted.
func migrationNames() []string {
	names, _ := fs.Glob(migrationFiles, "migrations/*.sql") // fails only for a malformed pattern
	return names
}

// errEncoding is not to be mended by a migration: the encoding belongs to the database.
var errEncoding = errors.New("postgres: the database's encoding is not UTF8: names could not be kept as they are")

// checkSchema reports whether the schema is up to date, without asking for any right to change it: nil, [ErrOldSchema]
// or [ErrNewerSchema].
func checkSchema(ctx context.Context, conn *pgconn.PgConn, schema string) error {
	encoding, err := ask(ctx, conn, "SELECT current_setting('server_encoding')")
	if err != nil {
		return err
	}
	if encoding != "UTF8" {
		return errEncoding
	}
	there, err := ask(ctx, conn, "SELECT count(*) FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "+
		"WHERE n.nspname = '"+schema+"' AND c.relname = 'pat_schema'")
	if err != nil {
		return err
	}
	if there == "0" {
		return ErrOldSchema
	}
	text, err := ask(ctx, conn, `SELECT coalesce(max(version), 0) FROM "`+schema+`".pat_schema`)
	if err != nil {
		return err
	}
	version, err := strconv.Atoi(text)
	switch latest := len(migrationNames()); {
	case err != nil:
		return err
	case version > latest:
		return ErrNewerSchema
	case version < latest:
		return ErrOldSchema
	}
	return nil
}

// ask returns the only value of a query. It uses the simple protocol, which goes through any pooler.
func ask(ctx context.Context, conn *pgconn.PgConn, query string) (string, error) {
	results, err := conn.Exec(ctx, query).ReadAll()
	if err != nil {
		return "", err
	}
	if len(results) != 1 || len(results[0].Rows) != 1 || len(results[0].Rows[0]) != 1 {
		return "", fmt.Errorf("a query of one value had another result")
	}
	return string(results[0].Rows[0][0]), nil
}

// migrate brings the schema up to date unless it already is, in one transaction. Of many that start at once one migrates
// while the others wait.
func migrate(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	return onConnection(ctx, pool, func(conn *pgx.Conn) error {
		err := checkSchema(ctx, conn.PgConn(), schema)
		if !errors.Is(err, ErrOldSchema) {
			return err
		}
		// READ COMMITTED, so that what is seen behind the lock is what the one before has done.
		tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
		if err != nil {
			return err
		}
		// Bounded, as ctx may be done. After the commit it does nothing.
		defer func() {
			bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
			defer cancel()
			_ = tx.Rollback(bounded)
		}()
		if err := migrateLocked(ctx, conn.PgConn(), schema); err != nil {
			return err
		}
		return tx.Commit(ctx)
	})
}

// onConnection lends a connection of the pool to work, which leaves it as it was.
func onConnection(ctx context.Context, pool *pgxpool.Pool, work func(*pgx.Conn) error) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return work(conn.Conn())
}

func migrateLocked(ctx context.Context, conn *pgconn.PgConn, schema string) error {
	run := func(sql string) error {
		_, err := conn.Exec(ctx, sql).ReadAll()
		return err
	}
	key := lockKey(schema, lockMigrate, "")
	if err := run("SELECT pg_catalog.pg_advisory_xact_lock(" + strconv.FormatInt(key, 10) + ")"); err != nil {
		return err
	}
	// CREATE SCHEMA IF NOT EXISTS asks for the right to create one even where it is there.
	there, err := ask(ctx, conn, "SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = '"+schema+"'")
	if err != nil {
		return err
	}
	if there == "0" {
		if err := run(`CREATE SCHEMA "` + schema + `"`); err != nil {
			return err
		}
	}
	// The scripts name no schema. pg_catalog is always looked at first.
	if err := run(`SET LOCAL search_path TO "` + schema + `"; ` +
		"CREATE TABLE IF NOT EXISTS pat_schema (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"); err != nil {
		return err
	}
	text, err := ask(ctx, conn, "SELECT coalesce(max(version), 0) FROM pat_schema")
	if err != nil {
		return err
	}
	version, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	names := migrationNames()
	if version > len(names) {
		return ErrNewerSchema
	}
	for _, name := range names[version:] {
		script, err := migrationFiles.ReadFile(name)
		if err == nil {
			err = run(string(script))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		version++
		if err := run("INSERT INTO pat_schema (version) VALUES (" + strconv.Itoa(version) + ")"); err != nil {
			return err
		}
	}
	return nil
}

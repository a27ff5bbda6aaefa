package sqlite

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"time"
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

// migrate brings the schema up to date, in one transaction.
func migrate(c *session, timeout time.Duration) (err error) {
	names := migrationNames()
	ctx := context.Background()
	if err := c.begin(ctx, timeout); err != nil {
		return err
	}
	defer func() { err = c.end(err) }()

	const table = "CREATE TABLE IF NOT EXISTS pat_schema (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT"
	if err := c.exec(table); err != nil {
		return err
	}
	// A write that changes nothing, so that a database that can only be read shows itself now, and not at the first
	// token. BEGIN IMMEDIATE does not tell: on such a database it begins a reading transaction.
	if err := c.exec("DELETE FROM pat_schema WHERE version < 0"); err != nil {
		return err
	}
	version, err := schemaVersion(c.conn)
	if err != nil {
		return err
	}
	if version > int64(len(names)) {
		return ErrNewerSchema
	}
	for _, name := range names[version:] {
		script, err := migrationFiles.ReadFile(name)
		if err == nil {
			err = c.exec(string(script))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		version++
		if err := c.exec(fmt.Sprintf("INSERT INTO pat_schema (version, applied_at) VALUES (%d, %d)", version, time.Now().UnixMicro())); err != nil {
			return err
		}
	}
	return nil
}

package sqlite

import (
	"context"
	"database/sql/driver"
	"time"

	"github.com/mattn/go-sqlite3"
)

// role is what a connection is for.
type role int

const (
	roleWriter role = iota
	roleReader
	roleKeeper
)

// connector opens connections that are all in the same, checked state.
type connector struct {
	driver  *sqlite3.SQLiteDriver
	name    string
	timeout time.Duration
}

// newConnector returns a connector for the file. A nil file means a database in memory.
func newConnector(file *databaseFile, role role, settings options) *connector {
	pragmas := pragmasOf(file == nil, role, settings)
	return &connector{
		driver:  &sqlite3.SQLiteDriver{ConnectHook: func(conn *sqlite3.SQLiteConn) error { return apply(conn, pragmas) }},
		name:    file.uri(),
		timeout: settings.busyTimeout,
	}
}

// connect opens a connection. Changing a new file to the write-ahead log needs an exclusive lock, for which SQLite does
// not always call its busy handler. So when several processes start at once, some have to try again.
func (c *connector) connect() (*sqlite3.SQLiteConn, error) {
	var opened driver.Conn
	err := waitWhileBusy(context.Background(), c.timeout, func() (err error) {
		opened, err = c.driver.Open(c.name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return opened.(*sqlite3.SQLiteConn), nil //nolint:forcetypeassert // which is what this driver opens
}

// refuseNewerSchema is a first look. The one that counts is in the transaction of migrate.
func refuseNewerSchema(conn driver.QueryerContext) error {
	found, err := readValue(conn, "SELECT count(*) FROM sqlite_schema WHERE name = 'pat_schema'")
	if err != nil || found != int64(1) {
		return err
	}
	version, err := schemaVersion(conn)
	if err == nil && version > int64(len(migrationNames())) {
		return ErrNewerSchema
	}
	return err
}

// schemaVersion returns the number of the last migration that was applied.
func schemaVersion(conn driver.QueryerContext) (int64, error) {
	value, err := readValue(conn, "SELECT ifnull(max(version), 0) FROM pat_schema")
	version, _ := value.(int64) // as the column's type has it
	return version, err
}

// readValue returns the only column of a query's first row.
func readValue(conn driver.QueryerContext, query string) (driver.Value, error) {
	rows, err := conn.QueryContext(context.Background(), query, nil)
	if err != nil {
		return nil, err
	}
	var value [1]driver.Value
	err = firstOf(rows, value[:])
	return value[0], err
}

package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"
)

// session is a connection with its prepared statements. It is used by one call at a time.
type session struct {
	conn     conn
	args     []driver.NamedValue // of the statement that runs
	row      []driver.Value      // that is read
	reads    readStatements
	writes   writeStatements
	prepared []stmt // for close to close
	// lockedSince is when the first of those who could not get the write lock began to wait. It is zero once one had
	// it.
	lockedSince time.Time
}

func newSession(conn conn) *session {
	return &session{conn: conn, row: make([]driver.Value, columnCount)}
}

// close closes the connection. The statements go first: SQLite keeps a connection open, with its file, as long as it
// has statements.
func (c *session) close() error {
	var failed []error
	for _, s := range c.prepared {
		failed = append(failed, s.Close())
	}
	return errors.Join(append(failed, c.conn.Close())...)
}

// prepare prepares a statement, for close to close.
//
// A statement's limit is a parameter with a plus before it. A bare one makes SQLite compile the statement anew each time
// that the parameter is bound, to plan with its value (sqlite3ExprIsInteger), which takes longer than most of them run.
func (c *session) prepare(query string) (stmt, error) {
	prepared, err := c.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	s := prepared.(stmt) //nolint:forcetypeassert // as any statement of this driver is
	c.prepared = append(c.prepared, s)
	return s, nil
}

// begin takes the write lock. A transaction that begins without it and asks for it later would get SQLITE_BUSY at
// once, without any waiting, where another process has written in between.
func (c *session) begin(ctx context.Context, timeout time.Duration) error {
	return waitWhileBusy(ctx, timeout, func() error { return c.exec("BEGIN IMMEDIATE") })
}

// end commits, or rolls back if there is an error. A connection is never left in a transaction.
func (c *session) end(err error) error {
	if err == nil {
		err = c.exec("COMMIT")
	}
	if err != nil {
		// After some errors SQLite has rolled back by itself, and this one reports that nothing is left to do.
		_ = c.exec("ROLLBACK")
	}
	return err
}

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// session is a connection with its prepared statements. It is used by one call at a time.
type session struct {
	conn     *sql.Conn
	row      *row
	reads    readStatements
	writes   writeStatements
	prepared []*sql.Stmt // all of reads and writes
}

func newSession(conn *sql.Conn) *session { return &session{conn: conn, row: newRow()} }

// close gives the connection back to its pool. The statements go first: database/sql does not close those that were
// prepared on a single connection, and SQLite keeps a connection open, with its file, as long as it has statements.
func (c *session) close() error {
	var failed []error
	for _, stmt := range c.prepared {
		failed = append(failed, stmt.Close())
	}
	return errors.Join(append(failed, c.conn.Close())...)
}

// begin takes the write lock. A transaction that begins without it and asks for it later would get SQLITE_BUSY at
// once, without any waiting, where another process has written in between.
func (c *session) begin(ctx context.Context, timeout time.Duration) error {
	return waitWhileBusy(ctx, timeout, func() error { return c.exec(ctx, "BEGIN IMMEDIATE") })
}

// end commits, or rolls back if there is an error. A connection is never left in a transaction.
func (c *session) end(ctx context.Context, err error) error {
	if err == nil {
		// Last chance: from here on, a context that ends changes nothing, so that a commit that succeeded is reported
		// as such.
		err = ctx.Err()
	}
	if err == nil {
		err = c.exec(ctx, "COMMIT")
	}
	if err != nil {
		// After some errors SQLite has rolled back by itself, and this one reports that nothing is left to do.
		_ = c.exec(ctx, "ROLLBACK")
	}
	return err
}

func (c *session) exec(ctx context.Context, query string) error {
	_, err := c.conn.ExecContext(context.WithoutCancel(ctx), query)
	return err
}

// transact runs work in a transaction of the writer.
func (s *Store) transact(ctx context.Context, operation string, work func(c *session) error) error {
	c, err := s.writer.acquire(ctx, s.closed)
	if err != nil {
		return failed(ctx, operation, err)
	}
	open := true
	defer func() {
		if open { // the beginning failed, or work panicked: the next call must not find what this one left
			_ = c.exec(ctx, "ROLLBACK")
		}
		s.writer.release(c)
	}()
	if err := c.begin(ctx, s.busyTimeout); err != nil {
		return failed(ctx, operation, err)
	}
	err = c.end(ctx, work(c))
	open = false
	if err != nil {
		return failed(ctx, operation, err)
	}
	return nil
}

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
	prepared []stmt // all of reads and writes
}

func newSession(conn conn) *session {
	return &session{conn: conn, row: make([]driver.Value, columnCount)}
}

// close closes the connection. The statements go first: SQLite keeps a connection open, with its file, as long as it has
// statements.
func (c *session) close() error {
	var failed []error
	for _, s := range c.prepared {
		failed = append(failed, s.Close())
	}
	return errors.Join(append(failed, c.conn.Close())...)
}

// prepare prepares a statement, for close to close.
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
func (c *session) end(ctx context.Context, err error) error {
	if err == nil {
		// Last chance: from here on, a context that ends changes nothing, so that a commit that succeeded is reported
		// as such.
		err = ctx.Err()
	}
	if err == nil {
		err = c.exec("COMMIT")
	}
	if err != nil {
		// After some errors SQLite has rolled back by itself, and this one reports that nothing is left to do.
		_ = c.exec("ROLLBACK")
	}
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
			_ = c.exec("ROLLBACK")
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

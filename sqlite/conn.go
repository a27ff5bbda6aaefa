package sqlite

import (
	"context"
	"database/sql/driver"
)

// conn is what the store uses of a connection of the driver, which is a [*sqlite3.SQLiteConn]. The store calls the
// driver itself: what database/sql does between the two, which is to share connections, to convert values and to watch
// contexts, takes longer than the look-up of a token.
type conn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
}

// stmt is what the store uses of a prepared statement, which is a [*sqlite3.SQLiteStmt].
type stmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// named puts the arguments in the form that the driver takes, which copies them. The caller clears them again: one may
// be a part of a token's value.
func (c *session) named(args []driver.Value) []driver.NamedValue {
	c.args = c.args[:0]
	for i, arg := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: arg})
	}
	return c.args
}

// change runs a statement and returns how many rows it changed. No context ends it: see [Store.transact].
func (c *session) change(s stmt, args ...driver.Value) (int64, error) {
	result, err := s.ExecContext(context.Background(), c.named(args))
	clear(c.args)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// query runs a statement. The caller reads and closes the rows before it runs another.
func (c *session) query(ctx context.Context, s stmt, args ...driver.Value) (driver.Rows, error) {
	rows, err := s.QueryContext(ctx, c.named(args))
	clear(c.args)
	return rows, err
}

// first puts the first row of what a statement finds in dest. Where there is none it returns [io.EOF].
//
// It runs to its end whatever becomes of the caller's context, which has been looked at just before. It takes
// microseconds, and SQLite could not be interrupted in the only thing that may take long, a read of the disk; but to
// watch a context that can end, the driver would register a callback, which costs more than it is worth.
func (c *session) first(dest []driver.Value, s stmt, args ...driver.Value) error {
	clear(dest) // so that nothing of another row is taken for this one
	rows, err := c.query(context.Background(), s, args...)
	if err != nil {
		return err
	}
	return firstOf(rows, dest)
}

// firstOf reads the first row and closes the rows.
func firstOf(rows driver.Rows, dest []driver.Value) error {
	err := rows.Next(dest)
	if closeErr := rows.Close(); err == nil {
		err = closeErr
	}
	return err
}

// exec runs statements that have no arguments.
func (c *session) exec(script string) error {
	_, err := c.conn.ExecContext(context.Background(), script, nil)
	return err
}

package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"

	"github.com/mattn/go-sqlite3"
)

var errDisk = sqlite3.Error{Code: sqlite3.ErrIoErr, ExtendedCode: sqlite3.ErrIoErrFsync}

// injector lets the n-th statement, or the reading of its rows, fail, or those that failing names, or says that the
// database is locked.
type injector struct {
	seen          []string
	at            int
	done          bool
	failing, busy func(statement string) bool
}

func (i *injector) arm(n int, done bool) { i.seen, i.at, i.done = nil, n, done }

// run runs a statement, unless it is to fail before that.
func (i *injector) run(statement string, f func() error) error {
	i.seen = append(i.seen, statement)
	if i.failing != nil && i.failing(statement) {
		return errDisk
	}
	if i.busy != nil && i.busy(statement) {
		return sqlite3.Error{Code: sqlite3.ErrBusy}
	}
	if i.at != len(i.seen) {
		return f()
	}
	if i.done {
		if err := f(); err != nil && err != io.EOF { //nolint:errorlint // as package driver has it
			return err
		}
	}
	return errDisk
}

// faultyConn is a connection that fails when it is told to.
type faultyConn struct {
	*sqlite3.SQLiteConn
	injector *injector
}

func (c *faultyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (result driver.Result, err error) {
	err = c.injector.run(query, func() error {
		result, err = c.SQLiteConn.ExecContext(ctx, query, args)
		return err
	})
	return result, err
}

func (c *faultyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (rows driver.Rows, err error) {
	err = c.injector.run(query, func() error {
		rows, err = c.SQLiteConn.QueryContext(ctx, query, args)
		return err
	})
	return c.injector.rows(query, rows, err)
}

func (c *faultyConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	stmt, err := c.SQLiteConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return &faultyStmt{stmt.(*sqlite3.SQLiteStmt), query, c.injector}, nil
}

type faultyStmt struct {
	*sqlite3.SQLiteStmt
	query    string
	injector *injector
}

func (s *faultyStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (result driver.Result, err error) {
	err = s.injector.run(s.query, func() error {
		result, err = s.SQLiteStmt.ExecContext(ctx, args)
		return err
	})
	return result, err
}

func (s *faultyStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (rows driver.Rows, err error) {
	err = s.injector.run(s.query, func() error {
		rows, err = s.SQLiteStmt.QueryContext(ctx, args)
		return err
	})
	return s.injector.rows(s.query, rows, err)
}

// rows returns what a query is to return.
func (i *injector) rows(query string, rows driver.Rows, err error) (driver.Rows, error) {
	if err != nil {
		if rows != nil {
			err = errors.Join(err, rows.Close()) // as the driver does
		}
		return nil, err
	}
	return &faultyRows{rows, query, i}, nil
}

// faultyRows fails while they are read, which is when SQLite does the work.
type faultyRows struct {
	driver.Rows
	query    string
	injector *injector
}

func (r *faultyRows) Next(dest []driver.Value) error {
	return r.injector.run("a row of "+r.query, func() error { return r.Rows.Next(dest) })
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/patkit/pat"
)

// call is a statement with its arguments, and what came of it.
type call struct {
	*statement
	args [][]byte
	// row is called for each row of the result, with values that are only valid during the call.
	row func(values [][]byte)
	// affected is how many rows the statement changed, or returned.
	affected int64
}

// session is a connection that is lent to one call of a method.
type session struct {
	conn *pgxpool.Conn
	// pooler says that the next transaction may be on another connection of the server.
	pooler bool
	// stale says that the connection has to be closed, because it leads to a server that is of no use now.
	stale bool
}

// rollbackTimeout bounds the time in which a connection has to be clean again. One that isn't is closed.
const rollbackTimeout = time.Second

// release gives the connection back, outside of any transaction: the next one to use it may be the host.
func (c *session) release() {
	pg := c.conn.Conn().PgConn()
	if inTransaction := !pg.IsClosed() && !pg.IsBusy() && pg.TxStatus() != 'I'; c.stale || inTransaction {
		c.tidy()
	}
	c.conn.Release() // closes what is still in a transaction
}

// tidy ends a transaction, or a connection that is of no use. Most calls leave neither.
func (c *session) tidy() {
	ctx, cancel := context.WithTimeout(context.Background(), rollbackTimeout)
	defer cancel()
	if c.stale {
		_ = c.conn.Conn().Close(ctx)
		return
	}
	_ = c.exchange(ctx, &call{statement: rollback})
}

// prepared is where a connection keeps the names of the statements that are prepared on it.
const prepared = "github.com/patkit/pat/postgres"

func preparedOn(pg *pgconn.PgConn) map[string]bool {
	names, ok := pg.CustomData()[prepared].(map[string]bool)
	if !ok {
		names = make(map[string]bool)
		pg.CustomData()[prepared] = names
	}
	return names
}

// binaryFormat is the format of all arguments and results.
var binaryFormat = []int16{pgtype.BinaryFormatCode}

// exchange sends the calls all at once and reads their results, in one round trip. Where one fails, the server passes
// over those that follow it. No statement may be there twice.
//
// Whatever fails before the calls are sent, or is an answer of the server, means that a transaction which a COMMIT among
// the calls should have ended was not done. If the connection is lost after that, nobody knows.
func (c *session) exchange(ctx context.Context, calls ...*call) error {
	pg := c.conn.Conn().PgConn()
	err := c.send(ctx, pg, calls)
	if isCode(err, invalidStatementName) && pg.TxStatus() == 'I' {
		// Nothing was done. A hook of the pool has deallocated the statements, with DISCARD ALL for example.
		clear(preparedOn(pg))
		err = c.send(ctx, pg, calls)
	}
	if ended := ctx.Err(); err == nil && ended != nil && commits(calls) {
		// A pool may be set to cancel the statement at the server when ctx ends. If that was waiting for a synchronous
		// standby, the server answers that it has committed, and only warns that the standby may not have it
		// (src/backend/replication/syncrep.c, SyncRepWaitForLSN).
		return fmt.Errorf("%w: %w", pat.ErrOutcomeUnknown, ended)
	}
	if err == nil {
		return nil
	}
	answer, ok := errors.AsType[*pgconn.PgError](err)
	if ok && !endsConnection(answer) {
		c.stale = c.stale || isStale(answer)
		if isTransient(answer) {
			return &transientError{clean(answer)}
		}
		return clean(answer)
	}
	if ok {
		err = clean(answer)
	}
	if commits(calls) && !pgconn.SafeToRetry(err) {
		return fmt.Errorf("%w: %w", pat.ErrOutcomeUnknown, err)
	}
	return &transientError{err}
}

func commits(calls []*call) bool { return calls[len(calls)-1].statement == commit }

func (c *session) send(ctx context.Context, pg *pgconn.PgConn, calls []*call) (err error) {
	names := preparedOn(pg)
	pipeline := pg.StartPipeline(ctx)
	defer func() {
		// It reads up to the end of the answers. The first error tells most.
		if closeErr := pipeline.Close(); err == nil {
			err = closeErr
		}
	}()
	for _, call := range calls {
		switch {
		case c.pooler:
			pipeline.SendQueryParams(call.SQL, call.args, call.ParamOIDs, binaryFormat, binaryFormat)
			continue
		case !names[call.Name]:
			pipeline.SendPrepare(call.Name, call.SQL, call.ParamOIDs)
		}
		pipeline.SendQueryStatement(&call.StatementDescription, call.args, binaryFormat, binaryFormat)
	}
	if err := pipeline.Sync(); err != nil {
		return err // the connection is closed
	}
	for _, call := range calls {
		if !c.pooler && !names[call.Name] {
			if _, err := pipeline.GetResults(); err != nil {
				return err
			}
			names[call.Name] = true // stays prepared, whatever becomes of the transaction
		}
		if err := call.receive(pipeline); err != nil {
			return err
		}
	}
	return nil
}

// receive reads the result of one call.
func (c *call) receive(pipeline *pgconn.Pipeline) error {
	results, err := pipeline.GetResults()
	if err != nil {
		return err
	}
	reader, ok := results.(*pgconn.ResultReader)
	if !ok {
		return fmt.Errorf("expected the result of a statement, got %T", results)
	}
	for c.row != nil && reader.NextRow() {
		c.row(reader.Values())
	}
	tag, err := reader.Close()
	c.affected = tag.RowsAffected()
	return err
}

// Package postgres keeps tokens in a PostgreSQL database: the [pat.Store] for where one machine is outgrown.
//
// It works on a pool of the host's, github.com/jackc/pgx/v5/pgxpool, and on tables of its own, in a schema of their own.
// It is tested with PostgreSQL 15.
//
// # Schema and rights
//
// [New] brings the schema up to date, with the rights of the pool's role: it creates the schema "pat" (see
// [WithSchema]) if it isn't there, and in it what the migrations make. Where it is up to date already, New and the store
// need no more than this:
//
//	GRANT USAGE ON SCHEMA pat TO service;
//	GRANT SELECT ON pat.pat_schema TO service;
//	GRANT SELECT, INSERT, UPDATE, DELETE ON pat.pat_tokens TO service;
//
// So a service can run as a role that owns nothing, after [Migrate] was run by one with more rights. Any number of
// instances may do either at once.
//
// # What is promised
//
// A write is as durable as the server makes it: synchronous_commit, fsync and, for a failover, synchronous replication
// decide what outlives a crash. Leave synchronous_commit on: a revocation that a crash takes back is none.
//
// Every read that is not sent elsewhere by [WithInsecureReplicaReads] goes to a server that is no standby, and sees all
// that was written before. A pool that reaches a standby gets [ErrStandby], and no answer. An old primary that was not
// told of its successor can't be recognised: use fencing, as every setup with failover must.
//
// A write whose answer got lost fails with [pat.ErrOutcomeUnknown]. What is known not to have been done is tried again a
// few times: after a serialization failure, a deadlock, a failover, or where the server could not be reached.
//
// There is no time-out but that of the caller's context: a call on a server that is silent waits for as long. Statements
// go past pgx's query tracers, and so do the digests in their arguments.
//
// Groups are limited exactly, at whatever isolation level the pool has by default: adding takes an advisory lock, whose
// key is made of the names of the schema and the group.
//
// No error of this package holds a value of a column or an argument. The errors of the server can be had with errors.As
// as a *pgconn.PgError; its Detail and Where, which may show rows, are left out.
package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/patkit/pat"
)

// Store is a [pat.Store] and a [pat.ChangeFeed] in a PostgreSQL database. It is safe for concurrent use. Make it with
// [New]. It has no Close: the pool is the host's.
type Store struct {
	schema string
	pooler bool
	stmts  *statements
	// readPool is pool, unless reads go to a replica.
	pool, readPool *pgxpool.Pool
	feed           *pgx.ConnConfig // nil for that of the pool
}

var (
	_ pat.Store      = (*Store)(nil)
	_ pat.ChangeFeed = (*Store)(nil)
)

// New returns a Store on the pool, and brings the schema up to date unless it already is or [WithoutMigration] is given.
// The pool stays the host's: it has to live as long as the Store is used, and is the host's to close.
//
// Its errors match [ErrOldSchema], [ErrNewerSchema], [pat.ErrInvalidArgument] for options that break their rule, or a
// *pgconn.PgError, such as that of a missing right. A database whose encoding is not UTF8 is refused.
func New(ctx context.Context, pool *pgxpool.Pool, opts ...Option) (*Store, error) {
	o, err := resolve(pool, opts)
	if err != nil {
		return nil, err
	}
	if o.onlyCheck {
		err = onConnection(ctx, pool, func(conn *pgx.Conn) error { return checkSchema(ctx, conn.PgConn(), o.schema) })
	} else {
		err = migrate(ctx, pool, o.schema)
	}
	if err != nil {
		return nil, unopened("open", err)
	}
	s := &Store{stmts: newStatements(o.schema), schema: o.schema, pooler: o.pooler, pool: pool, readPool: pool, feed: o.feed}
	if o.readPool != nil {
		s.readPool = o.readPool
	}
	return s, nil
}

// Migrate brings the schema up to date, as [New] does. It is for a role with more rights than the service has: it needs
// CREATE on the database, or on the schema if that is there. Only [WithSchema] means something to it.
func Migrate(ctx context.Context, pool *pgxpool.Pool, opts ...Option) error {
	o, err := resolve(pool, opts)
	if err != nil {
		return err
	}
	if err := migrate(ctx, pool, o.schema); err != nil {
		return unopened("migrate", err)
	}
	return nil
}

func unopened(operation string, err error) error {
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok {
		err = clean(answer)
	}
	return fmt.Errorf("postgres: %s: %w", operation, err)
}

// StaleReads reports whether reads go to a replica, see [WithInsecureReplicaReads]. Such a Store must not have a cache
// in front of it.
func (s *Store) StaleReads() bool { return s.readPool != s.pool }

package postgres

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/patkit/pat/internal/tokenrow"
)

// statement is an SQL statement with the types of its parameters, so that the server need not be asked for them.
type statement struct{ pgconn.StatementDescription }

// newStatement returns a statement whose result has the given number of columns.
func newStatement(sql string, results int, params ...uint32) *statement {
	// Of the fields only the number counts: where there are some, pgconn does not ask the server for a description.
	return &statement{pgconn.StatementDescription{
		Name: statementName(sql), SQL: sql, ParamOIDs: params, Fields: make([]pgconn.FieldDescription, results),
	}}
}

// statementName returns the name of a prepared statement. Several stores may share a connection, so that it is made of
// all that tells their statements apart.
func statementName(sql string) string {
	sum := sha256.Sum256([]byte(sql))
	return "pat_" + hex.EncodeToString(sum[:12])
}

// READ COMMITTED gives each statement a view of its own, so that one behind a lock sees what was done before the lock
// was given, and asks for no repetition. It is said here, because the pool may have another default.
//
// READ WRITE is not said: where an operator has made a server read-only, it is to stay so.
var (
	begin    = newStatement("BEGIN ISOLATION LEVEL READ COMMITTED", 0)
	commit   = newStatement("COMMIT", 0)
	rollback = newStatement("ROLLBACK", 0)
	// impatient lets the server end a transaction of several round trips whose client is suspended or cut off, and with it
	// the locks that keep others from revoking.
	impatient = newStatement("SET LOCAL idle_in_transaction_session_timeout = '3s'", 0)
	// standby tells whether the server is in recovery, and therefore behind.
	standby = newStatement("SELECT pg_is_in_recovery()", 1)
	// lock waits for an advisory lock that the end of the transaction lets go. share waits for two that others may share.
	lock  = newStatement("SELECT pg_advisory_xact_lock($1)", 1, pgtype.Int8OID)
	share = newStatement("SELECT pg_advisory_xact_lock_shared($1), pg_advisory_xact_lock_shared($2)", 2, pgtype.Int8OID, pgtype.Int8OID)
)

// statements are those that name the table, for one schema.
type statements struct {
	byPrefix, byID, lookByID, lockByID  *statement
	insert, insertWithin, insertOrFail  *statement
	clash, end                          *statement
	revoke, touch, replaceDigest, purge *statement
	merge, mergeClash                   *statement
	lists, revokeAll                    map[tokenrow.ListKind]*statement
}

func newStatements(schema string) *statements {
	table := `"` + schema + `".pat_tokens`
	s := &statements{
		byPrefix:      findByPrefixOrDecoy(table),
		byID:          findByIDOnPrimary(table),
		lookByID:      selectByID(table, ""),
		lockByID:      selectByID(table, " FOR NO KEY UPDATE"),
		insert:        insert(table),
		insertWithin:  insertWithin(table),
		insertOrFail:  insertOrFail(table),
		clash:         clash(table),
		end:           endOld(table),
		revoke:        revoke(table),
		touch:         touch(table),
		replaceDigest: replaceDigest(table),
		purge:         purge(table),
		merge:         merge(table),
		mergeClash:    mergeClash(table),
		lists:         make(map[tokenrow.ListKind]*statement),
		revokeAll:     make(map[tokenrow.ListKind]*statement),
	}
	for _, kind := range tokenrow.ListKinds() {
		s.lists[kind] = listQuery(table, kind)
		if !kind.IncludeRevoked {
			s.revokeAll[kind] = revokeAll(table, kind)
		}
	}
	return s
}

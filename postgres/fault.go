package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/patkit/pat"
)

var (
	// ErrOldSchema means that the database has not the tables of this version of the library: run [Migrate].
	ErrOldSchema = errors.New("postgres: the schema is absent or older than this version of the library")
	// ErrNewerSchema means that a later version of this library has changed the schema. This version might break rules
	// that it does not know, so it does not use it.
	ErrNewerSchema = errors.New("postgres: the schema is newer than this version of the library")
	// ErrStandby means that a call, and its repetitions, reached a server that must not be asked: one in recovery, which
	// knows only what it has been sent so far, or, for a write, one that is read-only.
	ErrStandby = errors.New("postgres: the server is a standby or read-only")
)

// SQLSTATEs, from appendix A of PostgreSQL's manual.
const (
	readOnlyTransaction  = "25006"
	uniqueViolation      = "23505"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	// invalidStatementName and featureNotSupported ("cached plan must not change result type") are about prepared
	// statements that others have taken away, or that a change of the schema has made unfit.
	invalidStatementName = "26000"
	featureNotSupported  = "0A000"
)

func isCode(err error, codes ...string) bool {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	for _, code := range codes {
		if answer.Code == code {
			return true
		}
	}
	return false
}

// endsConnection reports whether the server has closed the connection with this answer.
func endsConnection(answer *pgconn.PgError) bool {
	severity := answer.SeverityUnlocalized
	if severity == "" { // before PostgreSQL 9.6, and some relatives
		severity = answer.Severity
	}
	return severity == "FATAL" || severity == "PANIC"
}

// isStale reports whether another connection may do better.
func isStale(err error) bool {
	return isCode(err, readOnlyTransaction, invalidStatementName, featureNotSupported)
}

// isTransient reports whether the transaction was not done for a reason that may be gone the next time.
func isTransient(err error) bool {
	return isStale(err) || isCode(err, serializationFailure, deadlockDetected)
}

// answers are what a method returns as it is.
var answers = []error{pat.ErrNotFound, pat.ErrExists, pat.ErrLimitReached, pat.ErrRevoked, pat.ErrExpired, pat.ErrRotated}

// failed is the error of a method.
func failed(ctx context.Context, operation string, err error) error {
	for _, answer := range answers {
		if err == answer { //nolint:errorlint // made here, and bare: a flood of unknown prefixes should cost little
			return err
		}
	}
	ended := ctx.Err()
	switch unknown := errors.Is(err, pat.ErrOutcomeUnknown); {
	case ended != nil && !unknown:
		return ended
	case ended != nil && !errors.Is(err, ended): // the connection may report a time-out of its own
		return fmt.Errorf("postgres: %s: %w: %w", operation, err, ended)
	case isCode(err, readOnlyTransaction):
		return fmt.Errorf("postgres: %s: %w: %w", operation, ErrStandby, err)
	}
	return fmt.Errorf("postgres: %s: %w", operation, err)
}

// clean takes from an answer of the server what may hold values: the details of a violated constraint show whole rows,
// and the messages about data that the server can't take (class 22) quote it. The code stays, for errors.As.
func clean(answer *pgconn.PgError) *pgconn.PgError {
	kept := &pgconn.PgError{
		Severity: answer.Severity, SeverityUnlocalized: answer.SeverityUnlocalized, Code: answer.Code, Message: answer.Message,
		SchemaName: answer.SchemaName, TableName: answer.TableName, ConstraintName: answer.ConstraintName,
	}
	if strings.HasPrefix(answer.Code, "22") {
		kept.Message = "a value was refused"
	}
	return kept
}

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/mattn/go-sqlite3"

	"github.com/patkit/pat"
)

var (
	// ErrNotADatabase means that the file is not an SQLite database.
	ErrNotADatabase = errors.New("sqlite: not a database")
	// ErrNewerSchema means that a later version of this library has changed the database's schema. This version might
	// break rules that it does not know, so it does not open it.
	ErrNewerSchema = errors.New("sqlite: the schema is newer than this version of the library")
)

// fault says in which operation the database failed. An error of the driver holds the texts of SQLite, which name
// tables and columns and never a value.
func fault(operation string, err error) error {
	return fmt.Errorf("sqlite: %s: %w", operation, classify(err))
}

// classify adds to an error of SQLite what a caller can ask for with errors.Is.
func classify(err error) error {
	var class error
	e, _ := errors.AsType[sqlite3.Error](err) // zero, which is no case below, if it is none of SQLite's
	switch {
	case e.Code == sqlite3.ErrNotADB:
		class = ErrNotADatabase
	case e.Code == sqlite3.ErrCorrupt:
		class = pat.ErrCorrupt
	case e.Code == sqlite3.ErrFull:
		class = syscall.ENOSPC
	case e.Code == sqlite3.ErrReadonly:
		class = syscall.EROFS
	case e.SystemErrno != 0:
		class = e.SystemErrno
	default:
		return err
	}
	return fmt.Errorf("%w: %w", class, err)
}

// ofCommit adds [pat.ErrOutcomeUnknown] to the error of a commit that may yet turn out to be done. SQLite undoes it,
// and nobody sees it; but if it was the sync that failed, or something behind it, then the write-ahead log has the
// whole of it, as a commit. Should every process crash before another one takes its place in the log, the recovery
// finds it there (https://www.sqlite.org/fileformat2.html#the_write_ahead_log).
func ofCommit(err error) error {
	e, ok := errors.AsType[sqlite3.Error](err)
	switch {
	case err == nil:
		return nil
	case ok && (e.Code == sqlite3.ErrFull || e.Code == sqlite3.ErrBusy || e.ExtendedCode == sqlite3.ErrIoErrWrite):
		return err // the last frame, which makes it a commit, is not in the log
	}
	return fmt.Errorf("%w: %w", pat.ErrOutcomeUnknown, err)
}

// failed is the error of a method that ctx may have ended.
func failed(ctx context.Context, operation string, err error) error {
	ended := ctx.Err()
	switch {
	case ended == nil:
		return fault(operation, err)
	case errors.Is(err, pat.ErrOutcomeUnknown):
		return fmt.Errorf("%w: %w", fault(operation, err), ended)
	}
	return ended
}

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

// methods calls each method of a store that holds rec, so that each one that writes changes something.
var methods = map[string]func(ctx context.Context, s *Store, rec pat.Record) error{
	"Insert": func(ctx context.Context, s *Store, rec pat.Record) error { return s.Insert(ctx, nextRecord(rec), 10) },
	"FindByPrefix": func(ctx context.Context, s *Store, rec pat.Record) error {
		_, err := s.FindByPrefix(ctx, rec.Token.Prefix)
		return err
	},
	"FindByID": func(ctx context.Context, s *Store, rec pat.Record) error {
		_, err := s.FindByID(ctx, rec.Token.ID)
		return err
	},
	"List": func(ctx context.Context, s *Store, rec pat.Record) error {
		_, err := s.List(ctx, pat.ListQuery{Owner: pat.Owner{UserID: rec.Token.UserID}, Limit: 10})
		return err
	},
	"Rotate": func(ctx context.Context, s *Store, rec pat.Record) error {
		next := nextRecord(rec)
		next.Token.RotatedFrom = rec.Token.ID
		return s.Rotate(ctx, pat.Rotation{OldID: rec.Token.ID, At: created, End: created, New: next})
	},
	"Revoke": func(ctx context.Context, s *Store, rec pat.Record) error {
		_, _, err := s.Revoke(ctx, rec.Token.ID, created)
		return err
	},
	"RevokeAll": func(ctx context.Context, s *Store, rec pat.Record) error {
		_, err := s.RevokeAll(ctx, pat.Owner{GroupID: rec.Token.GroupID}, created)
		return err
	},
	"Touch": func(ctx context.Context, s *Store, rec pat.Record) error {
		return s.Touch(ctx, []pat.Use{{Prefix: rec.Token.Prefix, At: created}, {Prefix: "absent", At: created}})
	},
	"ReplaceDigest": func(ctx context.Context, s *Store, rec pat.Record) error {
		_, err := s.ReplaceDigest(ctx, rec.Token.Prefix, rec.Digest, nextRecord(rec).Digest)
		return err
	},
	"Purge": func(ctx context.Context, s *Store, _ pat.Record) error {
		_, err := s.Purge(ctx, created.Add(48*time.Hour), 10)
		return err
	},
}

// nextRecord returns another record of the same owner.
func nextRecord(rec pat.Record) pat.Record {
	rec.Token.ID = rec.Token.ID[:35] + "9"
	rec.Token.Prefix = "nextNEXTnext"
	rec.Digest, _ = pat.ParseDigest("sha256$$another")
	return rec
}

// faultyStore is a store with one record, whose driver fails when it is told to.
type faultyStore struct {
	*Store
	rec      pat.Record
	injector *injector
}

func newFaultyStore(t *testing.T) *faultyStore {
	path := filepath.Join(t.TempDir(), "pat.db")
	s := testStore(t, path)
	f := &faultyStore{Store: s, rec: testRecord(t), injector: &injector{}}
	f.rec.Token.ExpiresAt = created.Add(24 * time.Hour)
	require.NoError(t, s.Insert(t.Context(), f.rec, 0))
	// Every session gets a connection over the driver that fails.
	file, err := findFile(path)
	require.NoError(t, err)
	for _, c := range borrowed(s) {
		role, prepare := roleReader, c.prepareReads
		if c == s.writer.stack[0] {
			role, prepare = roleWriter, c.prepareWrites
		}
		require.NoError(t, c.close())
		conn, err := newConnector(file, role, options{busyTimeout: time.Second}).connect()
		require.NoError(t, err)
		c.conn, c.prepared = &faultyConn{conn, f.injector}, nil
		require.NoError(t, prepare())
	}
	return f
}

// state is what the store holds.
func (f *faultyStore) state(t *testing.T) []pat.Record {
	t.Helper()
	var records []pat.Record
	for _, prefix := range []string{f.rec.Token.Prefix, nextRecord(f.rec).Token.Prefix} {
		rec, err := f.FindByPrefix(t.Context(), prefix)
		if !errors.Is(err, pat.ErrNotFound) {
			require.NoError(t, err)
		}
		records = append(records, rec)
	}
	return records
}

// rested checks that every session is back in its pool, and none in a transaction.
func (f *faultyStore) rested(t *testing.T) {
	t.Helper()
	assert.Len(t, f.writer.free, cap(f.writer.free))
	assert.Len(t, f.readers.free, cap(f.readers.free))
	for _, c := range sessions(f.Store) {
		require.NoError(t, c.exec("BEGIN"), "there is no transaction within a transaction")
		valueOf(t, c, "SELECT count(*) FROM pat_tokens")
		require.NoError(t, c.exec("ROLLBACK"))
	}
}

// TestEveryStatementOfEveryMethodFails lets the driver fail at each statement in turn, before and after it ran.
func TestEveryStatementOfEveryMethodFails(t *testing.T) {
	cells := 0
	for method, call := range methods {
		t.Run(method, func(t *testing.T) {
			f := newFaultyStore(t)
			before := f.state(t)
			f.injector.arm(0, false)
			require.NoError(t, call(t.Context(), f.Store, f.rec))
			statements := f.injector.seen
			after := f.state(t)
			require.NotEmpty(t, statements)
			for n, statement := range statements {
				for _, done := range []bool{false, true} {
					cells++
					name := fmt.Sprintf("%s, number %d, ran %t", statement, n+1, done)
					f := newFaultyStore(t)
					f.injector.arm(n+1, done)
					err := call(t.Context(), f.Store, f.rec)
					require.ErrorIs(t, err, errDisk, name)
					commit := statement == "COMMIT"
					assert.Equal(t, commit, errors.Is(err, pat.ErrOutcomeUnknown), name)
					for _, sentinel := range []error{pat.ErrInvalidToken, pat.ErrNotFound, pat.ErrExists, pat.ErrLimitReached} {
						require.NotErrorIs(t, err, sentinel, name)
					}
					f.injector.arm(0, false)
					f.rested(t)
					if done && commit {
						assert.Equal(t, after, f.state(t), "%s: the outcome was unknown, and is that of the commit", name)
					} else {
						assert.Equal(t, before, f.state(t), name)
						require.NoError(t, call(t.Context(), f.Store, f.rec), name)
						assert.Equal(t, after, f.state(t), "%s: it works when it is tried again", name)
					}
				}
			}
		})
	}
	t.Logf("%d cells: %d methods, each statement, before and after it ran", cells, len(methods))
}

func TestACommitThatFailsIsUnknownUnlessItCannotBeInTheLog(t *testing.T) {
	assert.NoError(t, ofCommit(nil))
	for _, c := range []struct {
		err     sqlite3.Error
		unknown bool
	}{
		{sqlite3.Error{Code: sqlite3.ErrBusy}, false},
		{sqlite3.Error{Code: sqlite3.ErrFull}, false},
		{sqlite3.Error{Code: sqlite3.ErrIoErr, ExtendedCode: sqlite3.ErrIoErrWrite}, false},
		{sqlite3.Error{Code: sqlite3.ErrIoErr, ExtendedCode: sqlite3.ErrIoErrFsync}, true},
		{sqlite3.Error{Code: sqlite3.ErrIoErr, ExtendedCode: sqlite3.ErrIoErrSHMSize}, true},
		{sqlite3.Error{Code: sqlite3.ErrNomem}, true},
	} {
		err := ofCommit(c.err)
		assert.ErrorIs(t, err, c.err)
		assert.Equal(t, c.unknown, errors.Is(err, pat.ErrOutcomeUnknown), "%v", err)
	}
}

func TestAContextThatEndsDoesNotHideThatTheOutcomeIsUnknown(t *testing.T) {
	f := newFaultyStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.injector.failing = func(statement string) bool {
		if statement == "COMMIT" {
			cancel()
		}
		return statement == "COMMIT"
	}
	err := f.Insert(ctx, nextRecord(f.rec), 0)
	for _, want := range []error{pat.ErrOutcomeUnknown, errDisk, context.Canceled} {
		assert.ErrorIs(t, err, want)
	}
	f.rested(t)
}

// TestEveryLookAtTheContextMayBeTheLast ends the context at each moment at which a method asks for it.
func TestEveryLookAtTheContextMayBeTheLast(t *testing.T) {
	for method, call := range methods {
		t.Run(method, func(t *testing.T) {
			for looks := 0; ; looks++ {
				f := newFaultyStore(t)
				before := f.state(t)
				err := call(&endingContext{Context: t.Context(), looks: looks}, f.Store, f.rec)
				f.rested(t)
				if err == nil {
					require.Positive(t, looks, "it looks at least once")
					t.Logf("%d looks", looks)
					return
				}
				require.ErrorIs(t, err, context.Canceled)
				assert.Equal(t, before, f.state(t), "canceled at look %d", looks+1)
			}
		})
	}
}

func TestAPanicWithinATransactionRollsItBack(t *testing.T) {
	f := newFaultyStore(t)
	before := f.state(t)
	row, err := encode(nextRecord(f.rec))
	require.NoError(t, err)
	assert.PanicsWithValue(t, "out of order", func() {
		_ = f.transact(t.Context(), "test", func(c *session) error {
			require.NoError(t, c.insert(row))
			panic("out of order")
		})
	})
	f.rested(t)
	assert.Equal(t, before, f.state(t))
}

func TestATakenPrefixIsNotSpokenOfWhereTheLookForItFails(t *testing.T) {
	f := newFaultyStore(t)
	f.injector.arm(0, false)
	require.NoError(t, f.Insert(t.Context(), f.rec, 0), "the same call again")
	f.injector.arm(slices.Index(f.injector.seen, clash)+1, false)
	err := f.Insert(t.Context(), f.rec, 0)
	require.ErrorIs(t, err, errDisk)
	assert.NotErrorIs(t, err, pat.ErrExists)
	f.rested(t)
}

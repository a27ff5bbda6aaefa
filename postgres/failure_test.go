package postgres

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/pgtest"
)

// writes are the writing methods, each on a record of its own that is there, and what tells that it was done.
func writes(s *Store) []struct {
	name string
	call func(ctx context.Context, rec pat.Record, n int) error
	done func(rec pat.Record, found func(n int) error) bool
} {
	return []struct {
		name string
		call func(ctx context.Context, rec pat.Record, n int) error
		done func(rec pat.Record, found func(n int) error) bool
	}{
		{"Insert", func(ctx context.Context, _ pat.Record, n int) error { return s.Insert(ctx, testRecord(n), 0) },
			func(_ pat.Record, found func(int) error) bool { return found(1) == nil }},
		{"Insert with a limit", func(ctx context.Context, _ pat.Record, n int) error { return s.Insert(ctx, testRecord(n), 1000) },
			func(_ pat.Record, found func(int) error) bool { return found(1) == nil }},
		{"Rotate", func(ctx context.Context, rec pat.Record, n int) error {
			return s.Rotate(ctx, successor(rec, n, time.Hour))
		},
			func(rec pat.Record, found func(int) error) bool { return rec.Token.RotatedTo != "" && found(1) == nil }},
		{"Revoke", func(ctx context.Context, rec pat.Record, _ int) error {
			_, _, err := s.Revoke(ctx, rec.Token.ID, created)
			return err
		}, func(rec pat.Record, _ func(int) error) bool { return rec.Token.Revoked() }},
		{"RevokeAll", func(ctx context.Context, rec pat.Record, _ int) error {
			_, err := s.RevokeAll(ctx, pat.Owner{UserID: rec.Token.UserID}, created)
			return err
		}, func(rec pat.Record, _ func(int) error) bool { return rec.Token.Revoked() }},
		{"Touch", func(ctx context.Context, rec pat.Record, _ int) error {
			return s.Touch(ctx, []pat.Use{{Prefix: rec.Token.Prefix, At: created}})
		}, func(rec pat.Record, _ func(int) error) bool { return !rec.Token.LastUsedAt.IsZero() }},
		{"ReplaceDigest", func(ctx context.Context, rec pat.Record, n int) error {
			_, err := s.ReplaceDigest(ctx, rec.Token.Prefix, rec.Digest, testRecord(n).Digest)
			return err
		}, func(rec pat.Record, _ func(int) error) bool { return rec.Digest != testRecord(0).Digest }},
		{"Purge", func(ctx context.Context, _ pat.Record, _ int) error {
			_, err := s.Purge(ctx, created.Add(24*time.Hour), 100)
			return err
		}, nil},
	}
}

// onEachWrite calls f for each writing method, whose statements are prepared.
func onEachWrite(t *testing.T, f func(t *testing.T, s *Store, c *cutter, call func(ctx context.Context) error, done func() bool)) {
	s, c := cutStore(t)
	for i, w := range writes(s) {
		t.Run(w.name, func(t *testing.T) {
			s.sql(t, "DELETE FROM pat_tokens")
			rec := s.add(t, 0)[0]
			// An earlier call prepares the statements. It does not matter what comes of it.
			_ = w.call(t.Context(), testRecord(500), 501)
			s.sql(t, "DELETE FROM pat_tokens WHERE prefix <> $1", rec.Token.Prefix)
			s.sql(t, "UPDATE pat_tokens SET revoked_at = NULL")
			if w.name == "Purge" {
				s.sql(t, "DELETE FROM pat_tokens")
				rec = s.add(t, 0)[0]
			}
			n := 1000 + i
			done := func() bool {
				now, err := s.FindByPrefix(t.Context(), rec.Token.Prefix)
				if w.done == nil {
					return errors.Is(err, pat.ErrNotFound)
				}
				require.NoError(t, err)
				return w.done(now, func(int) error {
					_, err := s.FindByPrefix(t.Context(), testRecord(n).Token.Prefix)
					return err
				})
			}
			require.False(t, done())
			f(t, s, c, func(ctx context.Context) error { return w.call(ctx, rec, n) }, done)
			s.isClean(t)
		})
	}
}

// isClean checks that the connection in the pool is in no transaction.
func (s *Store) isClean(t *testing.T) {
	t.Helper()
	conn, err := s.pool.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	assert.Equal(t, byte('I'), conn.Conn().PgConn().TxStatus())
}

func TestAWriteThatWasNotSentIsSentAgain(t *testing.T) {
	onEachWrite(t, func(t *testing.T, _ *Store, c *cutter, call func(context.Context) error, done func() bool) {
		c.arm(0, -1)
		require.NoError(t, call(t.Context()))
		assert.Equal(t, 1, c.count())
		assert.True(t, done())
	})
}

func TestAWriteWhoseAnswerIsLostIsOfUnknownOutcome(t *testing.T) {
	onEachWrite(t, func(t *testing.T, _ *Store, c *cutter, call func(context.Context) error, done func() bool) {
		reads := 0
		if t.Name() == "TestAWriteWhoseAnswerIsLostIsOfUnknownOutcome/Rotate" {
			reads = 1 // the first answer is that of the transaction's beginning
		}
		c.arm(-1, reads)
		err := call(t.Context())
		require.ErrorIs(t, err, pat.ErrOutcomeUnknown)
		require.ErrorIs(t, err, errCut)
		assert.Equal(t, 1, c.count())
		require.NoError(t, call(t.Context()), "repeated")
		assert.True(t, done())
	})
}

// Nothing is done before the COMMIT, and that goes with the second message.
func TestARotationIsBegunAgainWhenTheAnswerToItsBeginningIsLost(t *testing.T) {
	s, c := cutStore(t)
	rec := s.add(t, 1)[0]
	c.arm(-1, 0)
	require.NoError(t, s.Rotate(t.Context(), successor(rec, 2, 0)))
	assert.Equal(t, 1, c.count())
}

func TestAReadIsRepeatedWhateverWasLost(t *testing.T) {
	s, c := cutStore(t)
	rec := s.add(t, 1)[0]
	for name, read := range map[string]func() error{
		"FindByPrefix": func() error { _, err := s.FindByPrefix(t.Context(), rec.Token.Prefix); return err },
		"FindByID":     func() error { _, err := s.FindByID(t.Context(), rec.Token.ID); return err },
		"List": func() error {
			_, err := s.List(t.Context(), pat.ListQuery{Owner: pat.Owner{UserID: "user"}, Limit: 1})
			return err
		},
	} {
		require.NoError(t, read(), name)
		c.arm(0, -1)
		require.NoError(t, read(), name)
		assert.Equal(t, 1, c.count(), name)
		c.arm(-1, 0)
		require.NoError(t, read(), name)
		assert.Equal(t, 1, c.count(), name)
	}
}

func TestADatabaseThatIsGoneIsNeverAnAbsentToken(t *testing.T) {
	schema := pgtest.Schema(t)
	proxy := pgtest.NewProxy(t, pgtest.URL(t))
	s := openIn(t, pgtest.PoolTo(t, proxy.URL()), schema)
	s.add(t, 1)
	proxy.Cut()
	_, err := s.FindByPrefix(t.Context(), "absent")
	require.Error(t, err)
	require.NotErrorIs(t, err, pat.ErrNotFound)
	_, _, err = s.Revoke(t.Context(), testRecord(1).Token.ID, created)
	require.Error(t, err)
	require.NotErrorIs(t, err, pat.ErrNotFound)
	require.NotErrorIs(t, err, pat.ErrInvalidToken)
}

// A transaction that waits for a lock is as good as one that the network has swallowed.
func TestAContextThatEndsAfterAWriteWasSentLeavesItsOutcomeUnknown(t *testing.T) {
	s, c := cutStore(t)
	rec := s.add(t, 1)[0]
	beside := pgtest.Pool(t)
	tx, err := beside.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "SELECT FROM "+s.table()+" FOR UPDATE")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	c.written = cancel
	_, _, err = s.Revoke(ctx, rec.Token.ID, created)
	require.ErrorIs(t, err, pat.ErrOutcomeUnknown)
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, tx.Rollback(t.Context()))
}

func TestASessionThatIsTerminatedIsNoWrongAnswer(t *testing.T) {
	s, _ := cutStore(t)
	beside := pgtest.Pool(t)
	for n := range 20 {
		rec := s.add(t, n)[0]
		var pid int
		require.NoError(t, s.pool.QueryRow(t.Context(), "SELECT pg_backend_pid()").Scan(&pid))
		number(t, beside, "SELECT count(pg_terminate_backend($1, 10000))", pid)
		_, _, err := s.Revoke(t.Context(), rec.Token.ID, created)
		if err != nil {
			require.ErrorIs(t, err, pat.ErrOutcomeUnknown)
			_, _, err = s.Revoke(t.Context(), rec.Token.ID, created)
			require.NoError(t, err)
		}
		require.Equal(t, 1, number(t, beside, "SELECT count(*) FROM "+s.table()+" WHERE prefix = $1 AND revoked_at IS NOT NULL", rec.Token.Prefix))
	}
}

func TestAnOldPrimaryIsLeftForItsSuccessor(t *testing.T) {
	s, _ := cutStore(t)
	rec := s.add(t, 1)[0]
	_, err := s.pool.Exec(t.Context(), "SET default_transaction_read_only = on") // of the one session that there is
	require.NoError(t, err)
	_, changed, err := s.Revoke(t.Context(), rec.Token.ID, created)
	require.NoError(t, err)
	assert.True(t, changed)
}

func TestStatementsThatSomebodyDeallocatedArePreparedAgain(t *testing.T) {
	s, _ := cutStore(t)
	rec := s.add(t, 1)[0]
	_, err := s.FindByPrefix(t.Context(), rec.Token.Prefix)
	require.NoError(t, err)
	_, err = s.pool.Exec(t.Context(), "DEALLOCATE ALL")
	require.NoError(t, err)
	_, err = s.FindByPrefix(t.Context(), rec.Token.Prefix)
	require.NoError(t, err)
}

func TestAFailedTransactionCostsNoConnection(t *testing.T) {
	s, _ := cutStore(t)
	s.sql(t, "ALTER TABLE pat_tokens ADD CHECK (name <> 'name')")
	const pid = "SELECT pg_backend_pid()"
	before := number(t, s.pool, pid)
	require.Error(t, s.Insert(t.Context(), testRecord(1), 10))
	require.ErrorIs(t, s.Rotate(t.Context(), successor(testRecord(2), 3, 0)), pat.ErrNotFound)
	s.isClean(t)
	assert.Equal(t, before, number(t, s.pool, pid))
}

func TestErrorsHoldNoValues(t *testing.T) {
	s := testStore(t)
	s.sql(t, "ALTER TABLE pat_tokens ADD CHECK (name <> 'a secret name')")
	rec := testRecord(1)
	rec.Token.Name = "a secret name"
	err := s.Insert(t.Context(), rec, 0)
	answer, ok := errors.AsType[*pgconn.PgError](err)
	require.True(t, ok)
	assert.Equal(t, "23514", answer.Code)
	text := fmt.Sprintf("%+v %#v", err, *answer)
	assert.NotContains(t, text, "secret")
	assert.NotContains(t, text, rec.Token.Prefix)
	assert.NotContains(t, text, "INSERT")
	refused := clean(&pgconn.PgError{Code: "22P02", Message: `invalid input syntax for type uuid: "a secret"`})
	assert.NotContains(t, refused.Error(), "secret")
	s.isClean(t)
}

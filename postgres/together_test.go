package postgres

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/pgtest"
	"github.com/patkit/pat/internal/testscale"
)

// together runs the calls at once and returns their errors.
func together(calls ...func() error) []error {
	errs := make([]error, len(calls))
	var done sync.WaitGroup
	for i, call := range calls {
		done.Go(func() { errs[i] = call() })
	}
	done.Wait()
	return errs
}

// Deadlocks are retried, so that they would not show as errors; the server counts them, for a database as a whole.
func TestWritersOfManyRowsNeverDeadlock(t *testing.T) {
	database := pgtest.Database(t)
	s, other := openIn(t, pgtest.PoolTo(t, database), defaultSchema), openIn(t, pgtest.PoolTo(t, database), defaultSchema)
	const tokens = 300
	var uses []pat.Use
	for n := range tokens {
		rec := testRecord(n)
		rec.Token.ID = testRecord(tokens - n).Token.ID // so that an index on it has another order
		require.NoError(t, s.Insert(t.Context(), rec, 0))
		uses = append(uses, pat.Use{Prefix: rec.Token.Prefix})
	}
	shuffled := func(at time.Time) []pat.Use {
		batch := append([]pat.Use{}, uses...)
		rand.Shuffle(tokens, func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
		for i := range batch {
			batch[i].At = at
		}
		return batch
	}
	for round := range testscale.Rounds(t, 30, 1000) {
		first, second := created.Add(time.Duration(2*round)*time.Second), created.Add(time.Duration(2*round+1)*time.Second)
		batches := [][]pat.Use{shuffled(first), shuffled(second)}
		for _, err := range together(
			func() error { return s.Touch(t.Context(), batches[0]) },
			func() error { return other.Touch(t.Context(), batches[1]) },
			func() error {
				_, err := other.RevokeAll(t.Context(), pat.Owner{GroupID: "group"}, created)
				return err
			},
		) {
			require.NoError(t, err)
		}
		require.Equal(t, tokens, number(t, s.pool, "SELECT count(*) FROM "+s.table()+" WHERE last_used_at = $1 AND revoked_at IS NOT NULL", second))
		s.sql(t, "UPDATE pat_tokens SET revoked_at = NULL")
	}
	// A session may keep what it has counted to itself until it ends.
	s.pool.Close()
	other.pool.Close()
	name := s.pool.Config().ConnConfig.Database
	assert.Zero(t, number(t, pgtest.Pool(t), "SELECT deadlocks FROM pg_stat_database WHERE datname = $1", name))
}

// A successor that is being added while all tokens of its owner are revoked must not slip through.
func TestARotationDoesNotSlipThroughARevocationOfAll(t *testing.T) {
	s := testStore(t)
	owners := []pat.Owner{{UserID: "user"}, {GroupID: "group"}, {UserID: "user", GroupID: "group"}}
	n := 0
	rotated := 0
	for round := range testscale.Rounds(t, 150, 5000) {
		n++
		last := s.add(t, n)[0]
		midway, at := make(chan struct{}), rand.IntN(5)
		rotate := func() error {
			for i := range 5 { // a chain of successors
				if i == at {
					close(midway)
				}
				n++
				err := s.Rotate(t.Context(), successor(last, n, time.Duration(round%2)*time.Hour))
				if errors.Is(err, pat.ErrRevoked) {
					return nil
				}
				if err != nil {
					return err
				}
				rotated++
				last = testRecord(n)
			}
			return nil
		}
		revokeAll := func() error {
			<-midway
			_, err := s.RevokeAll(t.Context(), owners[round%len(owners)], created)
			return err
		}
		// A rotation of what is revoked fails, so that whichever comes first, nothing is left alive.
		for _, err := range together(rotate, revokeAll) {
			require.NoError(t, err)
		}
		require.Zero(t, number(t, s.pool, "SELECT count(*) FROM "+s.table()+" WHERE revoked_at IS NULL"))
	}
	t.Logf("%d rotations", rotated)
}

func TestPurgersAtOnceLeaveNothingBehind(t *testing.T) {
	s := testStore(t)
	const tokens, purgers, limit = 400, 4, 30
	for range testscale.Rounds(t, 3, 50) {
		for n := range tokens {
			s.add(t, n)
		}
		deleted := make([]int, purgers)
		var calls []func() error
		for p := range purgers {
			calls = append(calls, func() error {
				for {
					n, err := s.Purge(t.Context(), created.Add(24*time.Hour), limit)
					deleted[p] += n
					if err != nil || n < limit {
						return errors.Join(err, leftOver(t, s))
					}
				}
			})
		}
		for _, err := range together(calls...) {
			require.NoError(t, err)
		}
		total := 0
		for _, n := range deleted {
			total += n
		}
		assert.Equal(t, tokens, total)
	}
}

func leftOver(t *testing.T, s *Store) error {
	if n := number(t, s.pool, "SELECT count(*) FROM "+s.table()); n > 0 {
		return errors.New("fewer than the limit were deleted, and some are left")
	}
	return nil
}

// The row finds room on its own page, and no index is touched.
func TestAUseIsAHeapOnlyUpdate(t *testing.T) {
	s := testStore(t)
	var uses []pat.Use
	for n := range 500 {
		uses = append(uses, pat.Use{Prefix: s.add(t, n)[0].Token.Prefix})
	}
	const updates = "SELECT pg_stat_get_xact_tuples_hot_updated($1::regclass), pg_stat_get_xact_tuples_updated($1::regclass)"
	tx, err := s.pool.Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(t.Context())) }()
	_, err = tx.Exec(t.Context(), "UPDATE "+s.table()+" SET last_used_at = $1 WHERE prefix = ANY ($2)", created, []string{uses[0].Prefix, uses[100].Prefix, uses[499].Prefix})
	require.NoError(t, err)
	var hot, all int
	require.NoError(t, tx.QueryRow(t.Context(), updates, s.table()).Scan(&hot, &all))
	assert.Equal(t, 3, all)
	assert.Equal(t, all, hot)
}

package postgres

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/pgtest"
	"github.com/patkit/pat/internal/testscale"
)

func TestTheFeedTellsOfChangesAndOfNothingElse(t *testing.T) {
	s := testStore(t)
	var recs []pat.Record
	feed := follow(t, s)
	for _, c := range []struct {
		name   string
		change func(t *testing.T)
		want   []string
	}{
		{"a new token is none", func(t *testing.T) { recs = s.add(t, 1, 2, 3, 4) }, nil},
		{"a use is none", func(t *testing.T) {
			require.NoError(t, s.Touch(t.Context(), []pat.Use{{Prefix: recs[0].Token.Prefix, At: created}}))
		}, nil},
		{"a new digest is none", func(t *testing.T) {
			replaced, err := s.ReplaceDigest(t.Context(), recs[0].Token.Prefix, recs[0].Digest, recs[1].Digest)
			require.NoError(t, err)
			require.True(t, replaced)
		}, nil},
		{"a revocation", func(t *testing.T) {
			_, _, err := s.Revoke(t.Context(), recs[0].Token.ID, created)
			require.NoError(t, err)
		}, []string{recs0}},
		{"a revocation of what is revoked is none", func(t *testing.T) {
			_, _, err := s.Revoke(t.Context(), recs[0].Token.ID, created)
			require.NoError(t, err)
		}, nil},
		{"a rotation, of the old token", func(t *testing.T) {
			require.NoError(t, s.Rotate(t.Context(), successor(recs[1], 5, time.Hour)))
		}, []string{"Prefix000002"}},
		{"an owner changed by hand", func(t *testing.T) { s.sql(t, "UPDATE pat_tokens SET user_id = 'else' WHERE id = $1", recs[2].Token.ID) },
			[]string{"Prefix000003"}},
		{"an update by hand that changes nothing is none", func(t *testing.T) { s.sql(t, "UPDATE pat_tokens SET user_id = user_id") }, nil},
		{"all of an owner revoked", func(t *testing.T) {
			_, err := s.RevokeAll(t.Context(), pat.Owner{UserID: "user"}, created)
			require.NoError(t, err)
		}, []string{"Prefix000002", "Prefix000004", "Prefix000005"}},
		{"a purge", func(t *testing.T) {
			n, err := s.Purge(t.Context(), created.Add(time.Second), 1)
			require.NoError(t, err)
			require.Equal(t, 1, n)
		}, []string{recs0}},
		{"a change that was rolled back is none", func(t *testing.T) {
			tx, err := s.pool.Begin(t.Context())
			require.NoError(t, err)
			_, err = tx.Exec(t.Context(), "UPDATE "+s.table()+" SET name = 'another'")
			require.NoError(t, err)
			require.NoError(t, tx.Rollback(t.Context()))
		}, nil},
		{"a truncation, which is of all tokens", func(t *testing.T) { s.sql(t, "TRUNCATE pat_tokens") }, []string{""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.change(t); t.Failed() {
				return
			}
			assert.ElementsMatch(t, c.want, feed.told(t))
		})
	}
	require.ErrorIs(t, feed.stop(), context.Canceled)
}

const recs0 = "Prefix000001"

// It is this on which the promise of a cache rests: nothing that was acknowledged before t is reported after Current(t).
func TestNothingAcknowledgedBeforeAMomentIsReportedAfterIt(t *testing.T) {
	s := testStore(t)
	var mu sync.Mutex
	acknowledged := make(map[string]time.Time)
	heard := make(map[string]bool)
	late, confirmed, rounds := 0, 0, 0
	progress := make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(t.Context())
	var feed sync.WaitGroup
	defer feed.Wait()
	// Without a pause between two questions, so that there are as many rounds as can be.
	report := &listener{
		func(prefix string) {
			mu.Lock()
			defer mu.Unlock()
			heard[prefix] = true
		},
		func(at time.Time) {
			mu.Lock()
			defer mu.Unlock()
			rounds++
			for prefix, since := range acknowledged {
				if since.Before(at) {
					if !heard[prefix] {
						late++
					}
					confirmed++
					delete(acknowledged, prefix)
				}
			}
			select {
			case progress <- struct{}{}:
			default:
			}
		},
	}
	feed.Go(func() {
		defer close(progress)
		assert.ErrorIs(t, s.watch(ctx, time.Minute, 0, report), context.Canceled)
	})
	defer cancel()
	<-progress
	const workers = 8
	each := testscale.Rounds(t, 150, 5000)
	var done sync.WaitGroup
	for w := range workers {
		done.Go(func() {
			for i := range each {
				rec := testRecord(w*each + i)
				if err := s.Insert(t.Context(), rec, 0); err != nil {
					t.Error(err)
					return
				}
				if _, _, err := s.Revoke(t.Context(), rec.Token.ID, created); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				acknowledged[rec.Token.Prefix] = time.Now()
				mu.Unlock()
			}
		})
	}
	done.Wait()
	for range progress {
		mu.Lock()
		left := len(acknowledged)
		mu.Unlock()
		if left == 0 {
			break
		}
	}
	mu.Lock()
	defer mu.Unlock()
	assert.Zero(t, late)
	assert.Equal(t, workers*each, confirmed)
	t.Logf("%d revocations in %d rounds", confirmed, rounds)
}

func TestAFeedThatIsCutSaysSo(t *testing.T) {
	schema := pgtest.Schema(t)
	proxy := pgtest.NewProxy(t, pgtest.URL(t))
	s := openIn(t, pgtest.Pool(t), schema)
	through := pgtest.PoolTo(t, proxy.URL())
	s.feed = through.Config().ConnConfig
	for _, c := range []struct {
		name   string
		within time.Duration
		hurt   func(t *testing.T)
	}{
		{"its session is terminated", time.Minute, func(t *testing.T) {
			n := number(t, s.pool, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1", schema)
			require.Equal(t, 1, n)
		}},
		{"its network is cut", time.Minute, func(*testing.T) { proxy.Cut() }},
		{"nobody answers", time.Second, func(*testing.T) { proxy.Blackhole() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.feed.RuntimeParams["application_name"] = schema
			ended := make(chan error, 1)
			var once sync.Once
			started := make(chan struct{})
			go func() {
				ended <- s.Watch(t.Context(), c.within, &listener{func(string) {}, func(time.Time) { once.Do(func() { close(started) }) }})
			}()
			select {
			case <-started:
			case err := <-ended:
				require.NoError(t, err)
			}
			c.hurt(t)
			err := <-ended
			require.Error(t, err)
			require.NotErrorIs(t, err, context.DeadlineExceeded)
			t.Log(err)
			proxy.Heal()
		})
	}
}

func TestWatchRefusesWhatItCannotKeep(t *testing.T) {
	s := testStore(t)
	argument, _ := assertArgument(t, s.Watch(t.Context(), 0, &listener{}))
	assert.Equal(t, "within", argument)
	stale := *s
	stale.readPool = pgtest.Pool(t)
	require.ErrorIs(t, stale.Watch(t.Context(), time.Second, &listener{}), errStaleFeed)
	assert.True(t, stale.StaleReads())
	assert.False(t, s.StaleReads())
}

func TestTheFeedConnectsAsItIsTold(t *testing.T) {
	for name, open := range map[string]func(t *testing.T, schema string) *Store{
		"as the hook of the pool says": func(t *testing.T, schema string) *Store {
			return openIn(t, pgtest.Pool(t, func(c *pgxpool.Config) {
				c.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error {
					c.RuntimeParams["application_name"] = schema
					return nil
				}
			}), schema)
		},
		"as the option says, of a config that is changed afterwards": func(t *testing.T, schema string) *Store {
			pool := pgtest.Pool(t)
			config := pool.Config().ConnConfig
			config.RuntimeParams["application_name"] = schema
			asTold := WithFeedConfig(config)
			config.RuntimeParams["application_name"] = "changed"
			return openIn(t, pool, schema, asTold)
		},
	} {
		t.Run(name, func(t *testing.T) {
			schema := pgtest.Schema(t)
			s := open(t, schema)
			const named = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1"
			admin := pgtest.Pool(t)
			before := number(t, admin, named, schema)
			feed := follow(t, s)
			assert.Equal(t, before+1, number(t, admin, named, schema))
			require.ErrorIs(t, feed.stop(), context.Canceled)
		})
	}
}

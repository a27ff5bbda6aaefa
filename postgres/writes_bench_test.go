package postgres

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/bench"
	"github.com/patkit/pat/internal/pgtest"
)

// BenchmarkRevoke measures what the change feed costs: a notice takes a lock that all committing transactions of the
// server share which send one too. Callers revoke at once, in a table with the feed's trigger, which somebody listens
// to, and in one without.
func BenchmarkRevoke(b *testing.B) {
	const round = 320
	for _, callers := range []int{1, 32} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			pool := pgtest.Pool(b, func(c *pgxpool.Config) { c.MaxConns = int32(callers) })
			stores := []*Store{open(b, pool), open(b, pool)}
			listen(b, stores[0])
			stores[1].sql(b, "ALTER TABLE pat_tokens DISABLE TRIGGER pat_tokens_updated")
			records := make([][]pat.Record, len(stores))
			var calls []func(int) error
			for i, s := range stores {
				calls = append(calls, func(int) error { return revokeAtOnce(s, callers, records[i]) })
			}
			took := bench.TakeTurns(b, func() {
				for i, s := range stores {
					records[i], _ = bench.Records(b, round)
					addAll(b, s, records[i])
				}
			}, calls...)
			b.ReportMetric(round/took[0]*1e9, "revocations/s")
			b.ReportMetric(round/took[1]*1e9, "without-feed/s")
		})
	}
}

// listen follows the feed until the end of the benchmark.
func listen(b *testing.B, s *Store) {
	ctx, cancel := context.WithCancel(b.Context())
	started, ended := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Watch(ctx, time.Minute, &listener{func(string) {}, func(time.Time) {
			select {
			case started <- struct{}{}:
			default:
			}
		}})
	}()
	b.Cleanup(func() {
		cancel()
		<-ended
	})
	<-started
}

func revokeAtOnce(s *Store, callers int, records []pat.Record) error {
	share := len(records) / callers
	var calls []func() error
	for i := range callers {
		calls = append(calls, func() error {
			for _, rec := range records[i*share : (i+1)*share] {
				if _, _, err := s.Revoke(background, rec.Token.ID, time.Now()); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return errors.Join(together(calls...)...)
}

// BenchmarkTouchByTwo lets two instances write batches at once that have half of their tokens in common, in another
// order.
func BenchmarkTouchByTwo(b *testing.B) {
	const tokens = 100_000
	schema := pgtest.Schema(b)
	stores := []*Store{openIn(b, pgtest.Pool(b), schema), openIn(b, pgtest.Pool(b), schema)}
	records, _ := bench.Records(b, tokens)
	fill(b, stores[0], records)
	deadlocks := func() int {
		return number(b, stores[0].pool, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
	}
	before := deadlocks()
	at := time.Now()
	b.ResetTimer()
	for i := range b.N {
		batches := make([][]pat.Use, len(stores))
		for instance := range stores {
			at = at.Add(time.Second)
			for n := range batch {
				use := pat.Use{Prefix: records[(batch*i+batch/2*instance+n)%tokens].Token.Prefix, At: at}
				if instance == 0 {
					batches[instance] = append(batches[instance], use)
				} else {
					batches[instance] = append([]pat.Use{use}, batches[instance]...)
				}
			}
		}
		require.NoError(b, errors.Join(together(
			func() error { return stores[0].Touch(background, batches[0]) },
			func() error { return stores[1].Touch(background, batches[1]) },
		)...))
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N*batch*len(stores)), "ns/touched-token")
	for _, s := range stores {
		s.pool.Reset() // sessions report when they end
	}
	require.Equal(b, before, deadlocks())
}

package postgres

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/pgtest"
)

// These are set-ups in which something other than a store goes wrong, and a revocation would not be felt.

// LISTEN succeeds everywhere, and every question is answered.
func TestAFeedThatWouldHearNothingNeverBegins(t *testing.T) {
	elsewhere, err := pgx.ParseConfig(pgtest.Database(t))
	require.NoError(t, err)
	s := testStore(t, WithFeedConfig(elsewhere))
	err = s.Watch(t.Context(), time.Second, &listener{
		changed: func(string) {},
		current: func(time.Time) { t.Error("a feed that hears nothing seems to be alive") },
	})
	require.ErrorIs(t, err, errDeaf)
}

func TestAFeedThatBeginsIsNoChangeToOthers(t *testing.T) {
	s := testStore(t)
	first := follow(t, s)
	require.ErrorIs(t, follow(t, s).stop(), context.Canceled)
	assert.Empty(t, first.told(t))
}

// suspendedConn is the connection of a machine that is suspended, or cut off, before it ends the old token.
type suspendedConn struct {
	net.Conn
	suspended *atomic.Bool
	reached   chan struct{}
}

func (c suspendedConn) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("SET rotated_to")) && c.suspended.CompareAndSwap(false, true) {
		close(c.reached)
	}
	if c.suspended.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

func TestARotationWhoseClientIsSuspendedHoldsNobodyUpForLong(t *testing.T) {
	schema := pgtest.Schema(t)
	other := openIn(t, pgtest.Pool(t), schema)
	rec := other.add(t, 1)[0]
	suspended, reached := new(atomic.Bool), make(chan struct{})
	s := openIn(t, pgtest.Pool(t, func(c *pgxpool.Config) {
		c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			return suspendedConn{conn, suspended, reached}, err
		}
	}), schema)
	ctx, resume := context.WithCancel(t.Context())
	rotated := make(chan error, 1)
	go func() { rotated <- s.Rotate(ctx, successor(rec, 2, 0)) }()
	<-reached

	patient, cancel := context.WithTimeout(t.Context(), time.Minute) // the server would wait for hours
	defer cancel()
	_, changed, err := other.Revoke(patient, rec.Token.ID, created.Add(time.Hour))
	require.NoError(t, err)
	assert.True(t, changed)
	_, err = other.RevokeAll(patient, pat.Owner{GroupID: rec.Token.GroupID}, created.Add(time.Hour))
	require.NoError(t, err)
	resume()
	require.ErrorIs(t, <-rotated, pat.ErrOutcomeUnknown)
}

func TestStatementsThatAHookHasDeallocatedArePreparedAgain(t *testing.T) {
	for name, hook := range map[string]func(*pgx.Conn) error{
		"DISCARD ALL": func(c *pgx.Conn) error {
			_, err := c.PgConn().Exec(context.Background(), "DISCARD ALL").ReadAll()
			return err
		},
		"pgx's own": func(c *pgx.Conn) error { return c.DeallocateAll(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			schema := pgtest.Schema(t)
			s := openIn(t, pgtest.Pool(t, func(c *pgxpool.Config) {
				c.MaxConns = 1
				c.AfterRelease = func(conn *pgx.Conn) bool { return hook(conn) == nil }
			}), schema)
			for n := range 10 {
				rec := s.add(t, n)[0]
				_, err := s.FindByPrefix(t.Context(), rec.Token.Prefix)
				require.NoError(t, err)
				tokens, err := s.List(t.Context(), pat.ListQuery{Owner: pat.Owner{GroupID: rec.Token.GroupID}, Limit: 100})
				require.NoError(t, err)
				require.Len(t, tokens, n+1)
			}
			assert.LessOrEqual(t, s.pool.Stat().NewConnsCount(), int64(2), "connections are not given up for it")
		})
	}
}

// As a subscriber of logical replication applies them, or a restore without triggers.
func TestChangesOfAReplicatingSessionAreToldToo(t *testing.T) {
	for name, open := range map[string]func(testing.TB) *Store{
		"one table":  func(t testing.TB) *Store { return testStore(t) },
		"partitions": partitionedStore,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			rec := s.add(t, 1)[0]
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			began, told := make(chan struct{}, 100), make(chan string, 100)
			watching := make(chan error, 1)
			go func() {
				watching <- s.Watch(ctx, time.Minute, &listener{
					changed: func(p string) { told <- p },
					current: func(time.Time) { began <- struct{}{} },
				})
			}()
			<-began
			_, err := s.pool.Exec(ctx, "SET session_replication_role = replica; UPDATE "+s.table()+" SET revoked_at = now(); RESET session_replication_role")
			require.NoError(t, err)
			select {
			case prefix := <-told:
				assert.Equal(t, rec.Token.Prefix, prefix)
			case err := <-watching:
				t.Fatal(err)
			case <-time.After(10 * time.Second):
				t.Fatal("nobody was told")
			}
		})
	}
}

// A notice has at most 8000 bytes. Only somebody who writes the table by hand can make such a prefix.
func TestARowWithAPrefixTooLongToBeToldKeepsNobodyFromBeingRevoked(t *testing.T) {
	s := testStore(t)
	rec := s.add(t, 1, 2)[0]
	require.EqualValues(t, 1, s.sql(t, "UPDATE pat_tokens SET prefix = repeat('a', 20000) WHERE prefix = '"+rec.Token.Prefix+"'"))
	_, err := s.RevokeAll(t.Context(), pat.Owner{GroupID: rec.Token.GroupID}, created.Add(time.Hour))
	require.NoError(t, err)
	assert.Zero(t, number(t, s.pool, "SELECT count(*) FROM "+s.table()+" WHERE revoked_at IS NULL"))
}

// A pool can be set to cancel the statement at the server. It then says that it has committed, although it was waiting.
func TestACommitThatAStandbyMayNotHaveIsOfUnknownOutcome(t *testing.T) {
	cluster := pgtest.Own(t)
	s, err := New(t.Context(), pgtest.PoolTo(t, cluster.URL(), func(c *pgxpool.Config) {
		c.ConnConfig.BuildContextWatcherHandler = func(pg *pgconn.PgConn) ctxwatch.Handler {
			return &pgconn.CancelRequestContextWatcherHandler{Conn: pg, DeadlineDelay: time.Minute}
		}
	}))
	require.NoError(t, err)
	rec := s.add(t, 1)[0]
	admin := pgtest.PoolTo(t, cluster.URL())
	for _, statement := range []string{"ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"} {
		_, err = admin.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	// No standby is there, so that whoever commits waits for ever. One who does has seen the new setting.
	require.Eventually(t, func() bool {
		return number(t, admin, "SELECT count(*) FROM pg_settings WHERE name = 'synchronous_standby_names' AND setting = '*'") == 1
	}, time.Minute, 10*time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	revoked := make(chan error, 1)
	go func() {
		_, _, err := s.Revoke(ctx, rec.Token.ID, created.Add(time.Hour))
		revoked <- err
	}()
	require.Eventually(t, func() bool {
		return number(t, admin, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") > 0
	}, time.Minute, 10*time.Millisecond)
	cancel()
	err = <-revoked
	require.ErrorIs(t, err, pat.ErrOutcomeUnknown)
	require.ErrorIs(t, err, context.Canceled)
}

func TestMergeLocksRowsInTheOrderOfAllOthersWhateverTheCollation(t *testing.T) {
	admin := pgtest.Pool(t)
	name := fmt.Sprintf("icu_%d", time.Now().UnixNano())
	_, err := admin.Exec(t.Context(), "CREATE DATABASE "+name+" LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C' TEMPLATE template0 ENCODING 'UTF8'")
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := admin.Exec(context.WithoutCancel(t.Context()), "DROP DATABASE "+name+" WITH (FORCE)")
		assert.NoError(t, err)
	})
	s, err := New(t.Context(), pgtest.Pool(t, func(c *pgxpool.Config) { c.ConnConfig.Database = name }))
	require.NoError(t, err)
	records := []pat.Record{testRecord(1), testRecord(2)}
	records[0].Token.Prefix, records[1].Token.Prefix = "aaaa", "BBBB"
	_, err = s.Merge(t.Context(), sequence(records...))
	require.NoError(t, err)
	var first string
	require.NoError(t, s.pool.QueryRow(t.Context(), "SELECT prefix FROM "+s.table()+" ORDER BY ctid LIMIT 1").Scan(&first))
	assert.Equal(t, "BBBB", first)
}

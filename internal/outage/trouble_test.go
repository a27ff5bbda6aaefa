package outage

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/internal/pgtest"
)

// trouble is what goes wrong, again and again.
type trouble struct {
	name string
	// arrange returns the address of the server, that by which the verifiers that have the trouble reach it, and how the
	// trouble begins and ends.
	arrange func(t *testing.T) (direct, through string, begin, end func())
	// away says that the verifiers that have it are cut off.
	away bool
	// alone says that nobody else has it.
	alone bool
	// unnoticed says that no verification fails.
	unnoticed bool
}

var troubles = []trouble{
	{name: "the connection of the feed is killed", unnoticed: true, arrange: kill(
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query = 'SELECT pg_is_in_recovery()'")},
	{name: "every connection is killed", arrange: kill(
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND query <> ''")},
	{name: "the server is stopped", away: true, arrange: stop("fast")},
	{name: "the server crashes", away: true, arrange: stop("immediate")},
	{name: "the server is frozen", away: true, arrange: func(t *testing.T) (direct, through string, begin, end func()) {
		c := pgtest.Own(t)
		return c.URL(), c.URL(), c.Freeze, c.Thaw
	}},
	{name: "the network is slow", alone: true, unnoticed: true, arrange: network(
		func(p *pgtest.Proxy) { p.SetDelay(50 * time.Millisecond) }, func(p *pgtest.Proxy) { p.SetDelay(0) })},
	{name: "the network is cut", away: true, alone: true, arrange: network((*pgtest.Proxy).Cut, (*pgtest.Proxy).Heal)},
	{name: "the network is silent", away: true, alone: true, arrange: network((*pgtest.Proxy).Blackhole, (*pgtest.Proxy).Heal)},
}

func stop(mode string) func(*testing.T) (direct, through string, begin, end func()) {
	return func(t *testing.T) (direct, through string, begin, end func()) {
		c := pgtest.Own(t)
		return c.URL(), c.URL(), func() { c.Stop(mode) }, c.Start
	}
}

func network(begin, end func(*pgtest.Proxy)) func(*testing.T) (direct, through string, _, _ func()) {
	return func(t *testing.T) (direct, through string, _, _ func()) {
		direct = pgtest.Database(t)
		p := pgtest.NewProxy(t, direct)
		return direct, p.URL(), func() { begin(p) }, func() { end(p) }
	}
}

// kill runs a statement that kills connections five times in a second. None is killed before it was of use: on a machine
// that is busy, there would never be one that is.
func kill(statement string) func(*testing.T) (direct, through string, begin, end func()) {
	return func(t *testing.T) (direct, through string, begin, end func()) {
		url := pgtest.Database(t)
		var stopped chan struct{}
		var killed int
		ended := make(chan error)
		begin = func() {
			stopped = make(chan struct{})
			go func() {
				n, err := killing(t.Context(), url, statement, stopped)
				killed = n
				ended <- err
			}()
		}
		end = func() {
			close(stopped)
			require.NoError(t, <-ended)
			require.Positive(t, killed)
			t.Logf("%d connections killed", killed)
		}
		return url, url, begin, end
	}
}

func killing(ctx context.Context, url, statement string, stopped <-chan struct{}) (killed int, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close(ctx) }()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		tag, err := conn.Exec(ctx, statement)
		if err != nil {
			return killed, err
		}
		killed += int(tag.RowsAffected())
		select {
		case <-tick.C:
		case <-stopped:
			return killed, nil
		}
	}
}

// Of three processes that verify, the last one has no trouble if that is about their network.
func TestWhateverFailsThePromiseHoldsAndNothingAcknowledgedIsLost(t *testing.T) {
	for _, trouble := range troubles {
		t.Run(trouble.name, func(t *testing.T) {
			t.Parallel() // mostly they wait
			runOrdeal(t, trouble)
		})
	}
}

func runOrdeal(t *testing.T, trouble trouble) {
	t.Helper()
	direct, through, begin, end := trouble.arrange(t)
	s := newService(t, direct)
	// They leave the machine some time for new connections.
	near := target{URL: direct, Staleness: staleness, Patience: patience, Interval: 2 * time.Millisecond}
	far := near
	far.URL = through
	if trouble.away {
		far.Patience = time.Second / 2
	}
	if !trouble.alone {
		near = far
	}
	o := &ordeal{service: s, trouble: trouble, begin: begin, end: end, all: startVerifiers(t, far, far, near)}
	o.troubled = o.all
	if trouble.alone {
		o.troubled = o.all[:2]
	}
	writers := startWriters(t, s)
	for range rounds(t) {
		o.round()
	}
	created := writers.stop()
	require.NoError(t, s.checkCreated(t.Context(), created))
	for _, v := range o.all { // all of them verify everywhere
		v.admit(created.acknowledged())
	}
	for _, e := range o.ended {
		assert.NoError(t, s.checkStays(t.Context(), e))
	}
	t.Logf("%d tokens were ended, in up to %d tries; the last verification that succeeded started, after it was acknowledged: %v", len(o.ended), o.tries(), o.delays)
	t.Logf("%d verifications, %d faults, such as: %s; %v", o.verified, o.faults, o.fault, created)
	t.Logf("all was well again %v after the trouble, at most; of one verifier: %+v", o.healing, o.all[0].stats())
}

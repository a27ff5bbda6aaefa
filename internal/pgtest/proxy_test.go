package pgtest_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/internal/pgtest"
)

// echo starts a server that sends back what it gets, and returns its address.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				_, _ = io.Copy(conn, conn) // a test may cut it off
				_ = conn.Close()
			})
		}
	})
	t.Cleanup(func() {
		assert.NoError(t, listener.Close())
		running.Wait()
	})
	return "tcp://" + listener.Addr().String() + "/path?query=1"
}

func dial(t *testing.T, p *pgtest.Proxy) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn)
}

// roundTrip sends a text and returns an error unless it comes back within the time.
func roundTrip(conn net.Conn, text string, within time.Duration) error {
	if _, err := io.WriteString(conn, text); err != nil {
		return err
	}
	return comesBack(conn, text, within)
}

func comesBack(conn net.Conn, text string, within time.Duration) error {
	if err := conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(conn, got); err != nil {
		return err
	}
	if string(got) != text {
		return io.ErrNoProgress
	}
	return nil
}

// refuses checks that a new connection is closed: when it is just made, or when the answer is awaited.
func refuses(t *testing.T, p *pgtest.Proxy) {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	if err == nil {
		err = comesBack(conn, "anything", patience)
		_ = conn.Close()
	}
	require.Error(t, err)
	assert.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}

// patience is long, and moment is not: what does not come within a moment is said to be held back.
const (
	patience = time.Minute
	moment   = 100 * time.Millisecond
)

func TestAProxyHasItsOwnAddressInTheTargetsURL(t *testing.T) {
	p := pgtest.NewProxy(t, "postgres://user:password@127.0.0.1:1/name?sslmode=disable")
	assert.Equal(t, "postgres://user:password@"+p.Addr()+"/name?sslmode=disable", p.URL())
}

func TestAProxyPassesEverythingOnAndTheEndToo(t *testing.T) {
	p := pgtest.NewProxy(t, echo(t))
	p.SetDelay(10 * time.Millisecond)
	conn := dial(t, p)
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<17)
	var sending sync.WaitGroup
	sending.Go(func() {
		_, err := conn.Write(sent)
		assert.NoError(t, err)
		assert.NoError(t, conn.CloseWrite())
	})
	got, err := io.ReadAll(conn)
	sending.Wait()
	require.NoError(t, err)
	assert.True(t, bytes.Equal(sent, got), "%d bytes of %d", len(got), len(sent))
}

func TestAProxyDelaysEachDirection(t *testing.T) {
	const delay = 60 * time.Millisecond
	p := pgtest.NewProxy(t, echo(t))
	conn := dial(t, p)
	require.NoError(t, roundTrip(conn, "first", patience))
	p.SetDelay(delay)
	began := time.Now()
	require.NoError(t, roundTrip(conn, "second", patience))
	took := time.Since(began)
	t.Logf("there and back with %v each way: %v", delay, took)
	assert.GreaterOrEqual(t, took, 2*delay)
}

func TestAProxyThatIsCutClosesAllConnectionsUntilItIsHealed(t *testing.T) {
	p := pgtest.NewProxy(t, echo(t))
	before := dial(t, p)
	require.NoError(t, roundTrip(before, "hello", patience))
	p.Cut()
	err := comesBack(before, "anything", patience)
	require.Error(t, err)
	assert.NotErrorIs(t, err, os.ErrDeadlineExceeded)
	refuses(t, p)
	p.Heal()
	require.NoError(t, roundTrip(dial(t, p), "hello", patience))
}

func TestABlackholeHoldsEverythingBackAndLosesNothing(t *testing.T) {
	p := pgtest.NewProxy(t, echo(t))
	before := dial(t, p)
	require.NoError(t, roundTrip(before, "hello", patience))
	p.Blackhole()
	after := dial(t, p)
	for _, conn := range []net.Conn{before, after} {
		require.ErrorIs(t, roundTrip(conn, "hello", moment), os.ErrDeadlineExceeded)
	}
	p.Blackhole() // again, which changes nothing
	p.Heal()
	for _, conn := range []net.Conn{before, after} {
		require.NoError(t, comesBack(conn, "hello", patience))
	}
	p.Heal()
	require.NoError(t, roundTrip(before, "hello", patience))
}

func TestABlackholeCanBeCut(t *testing.T) {
	p := pgtest.NewProxy(t, echo(t))
	p.Blackhole()
	conn := dial(t, p)
	require.ErrorIs(t, roundTrip(conn, "hello", moment), os.ErrDeadlineExceeded)
	p.Cut()
	err := comesBack(conn, "hello", patience)
	require.Error(t, err)
	assert.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}

func TestAProxyWithoutAServerClosesTheConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := pgtest.NewProxy(t, "tcp://"+listener.Addr().String())
	require.NoError(t, listener.Close())
	refuses(t, p)
}

func TestNothingOfAProxyIsLeftAfterItsTest(t *testing.T) {
	for name, state := range map[string]func(*pgtest.Proxy){
		"idle":       func(*pgtest.Proxy) {},
		"delayed":    func(p *pgtest.Proxy) { p.SetDelay(time.Hour) },
		"cut":        (*pgtest.Proxy).Cut,
		"blackholed": (*pgtest.Proxy).Blackhole,
	} {
		t.Run(name, func(t *testing.T) {
			p := pgtest.NewProxy(t, echo(t))
			require.NoError(t, roundTrip(dial(t, p), "hello", patience))
			state(p)
			if conn, err := net.Dial("tcp", p.Addr()); err == nil { // a Proxy that is cut may refuse it
				_, _ = io.WriteString(conn, "hello")
				t.Cleanup(func() { _ = conn.Close() })
			}
		})
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		for _, part := range []string{"pgtest.(*Proxy)", "pgtest.(*link)"} {
			assert.Zero(t, strings.Count(string(stacks), part), "%s: %s", name, stacks)
		}
	}
}

func TestAProxyMayBeChangedWhileItWorks(t *testing.T) {
	p := pgtest.NewProxy(t, echo(t))
	var users sync.WaitGroup
	for range 4 {
		users.Go(func() {
			for range 50 {
				conn, err := net.Dial("tcp", p.Addr())
				if err != nil {
					continue // it is cut at the moment
				}
				err = roundTrip(conn, "hello", patience)
				assert.NotErrorIs(t, err, os.ErrDeadlineExceeded)
				assert.NoError(t, conn.Close())
			}
		})
	}
	for _, change := range []func(){p.Cut, p.Blackhole, p.Heal, func() { p.SetDelay(time.Microsecond) }} {
		users.Go(func() {
			for range 200 {
				change()
				runtime.Gosched()
			}
			p.Heal()
		})
	}
	users.Wait()
}

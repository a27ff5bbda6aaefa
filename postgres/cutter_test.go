package postgres

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/patkit/pat/internal/pgtest"
)

var errCut = errors.New("the test cut this connection")

// cutter cuts connections at a chosen moment.
type cutter struct {
	mu sync.Mutex
	// beforeWrite and beforeRead say how many writes, or reads, go well before the next one fails. Below zero, none fails.
	beforeWrite, beforeRead int
	cuts                    int
	// written is called after each write.
	written func()
}

// cutStore returns a store on one connection, and what cuts it.
func cutStore(t *testing.T, opts ...Option) (*Store, *cutter) {
	t.Helper()
	schema := pgtest.Schema(t)
	c := &cutter{beforeWrite: -1, beforeRead: -1, written: func() {}}
	pool := pgtest.Pool(t, func(config *pgxpool.Config) {
		config.MaxConns = 1
		config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			return &cutConn{Conn: conn, cutter: c}, err
		}
	})
	return openIn(t, pool, schema, opts...), c
}

// arm lets the write, or the read, after so many others fail.
func (c *cutter) arm(beforeWrite, beforeRead int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.beforeWrite, c.beforeRead, c.cuts = beforeWrite, beforeRead, 0
}

// due counts down, and reports that it is time.
func (c *cutter) due(left *int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if *left < 0 {
		return false
	}
	*left--
	if *left >= 0 {
		return false
	}
	c.cuts++
	return true
}

func (c *cutter) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cuts
}

type cutConn struct {
	net.Conn
	cutter *cutter
}

// Write fails before it has sent anything.
func (c *cutConn) Write(b []byte) (int, error) {
	if c.cutter.due(&c.cutter.beforeWrite) {
		_ = c.Close()
		return 0, errCut
	}
	n, err := c.Conn.Write(b)
	c.cutter.written()
	return n, err
}

// Read fails after the answer has come, so that the server has done what it was told.
func (c *cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err == nil && c.cutter.due(&c.cutter.beforeRead) {
		_ = c.Close()
		return 0, errCut
	}
	return n, err
}

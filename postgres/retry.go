package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// maxTries is how often a call is tried.
	maxTries = 4
	// firstPause is that before the second try. Each further one is five times as long: 5, 25 and 125 ms.
	firstPause = 5 * time.Millisecond
	// retryWindow is the time after which no further try begins: a server that takes long to refuse is not pressed.
	retryWindow = 5 * time.Second
)

// transientError is a failure after which it is known that nothing was done, and that may be gone the next time.
type transientError struct{ error }

func (e *transientError) Unwrap() error { return e.error }

// retrying calls try until it returns something other than a [transientError], a few times at most.
func retrying(ctx context.Context, try func() error) error {
	started := time.Now()
	for n, pause := 1, firstPause; ; n, pause = n+1, 5*pause {
		err := try()
		transient, ok := errors.AsType[*transientError](err)
		if !ok {
			return err
		}
		if n == maxTries || ctx.Err() != nil || time.Since(started) > retryWindow {
			return transient.error
		}
		// Chance keeps those who stood in each other's way from meeting again.
		select {
		case <-time.After(pause/2 + rand.N(pause)): //nolint:gosec // nothing secret
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// errConnect means that there is no connection. Its cause says nothing of statements and arguments.
var errConnect = errors.New("connect")

// with lends a connection of the pool to work, again where that fails for a passing reason. Once ctx is done it does
// nothing.
func (s *Store) with(ctx context.Context, operation string, pool *pgxpool.Pool, work func(*session) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := retrying(ctx, func() error {
		conn, err := pool.Acquire(ctx)
		if err != nil {
			return unconnected(err)
		}
		c := &session{conn: conn, pooler: s.pooler}
		defer c.release()
		return work(c)
	})
	if err == nil {
		return nil
	}
	return failed(ctx, operation, err)
}

// unconnected tells apart what passes, such as a server that starts, and what does not, such as a wrong password.
func unconnected(err error) error {
	wrapped := fmt.Errorf("%w: %w", errConnect, err)
	if _, ok := errors.AsType[*pgconn.ConnectError](err); !ok {
		return wrapped // the pool is closed, or a hook of the host failed
	}
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok && !passes(answer.Code) {
		return wrapped
	}
	return &transientError{wrapped}
}

// passes reports whether a server that refuses a connection for this reason may not do so soon: connection exceptions
// (class 08), too many connections, and a server that starts, stops or recovers.
func passes(code string) bool {
	return strings.HasPrefix(code, "08") || code == "53300" || strings.HasPrefix(code, "57P")
}

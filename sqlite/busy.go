package sqlite

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/mattn/go-sqlite3"
)

// Pauses between two tries for the database's lock. A writer holds it for about as long as the disk takes to sync, so
// the first pauses are short. The longest is short too: the lock is not handed on in turn, and who sleeps long starves.
const (
	shortestPause = time.Millisecond
	longestPause  = 16 * time.Millisecond
)

// waitWhileBusy calls try until it returns something other than SQLITE_BUSY, at most for the given time or until
// ctx is done.
func waitWhileBusy(ctx context.Context, limit time.Duration, try func() error) error {
	deadline := time.Now().Add(limit)
	for pause := shortestPause; ; pause = min(2*pause, longestPause) {
		err := try()
		left := time.Until(deadline)
		if !isBusy(err) || left <= 0 {
			return err
		}
		// Chance keeps several waiters from meeting again at every try.
		select {
		case <-time.After(min(left, pause/2+rand.N(pause))): //nolint:gosec // nothing secret
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func isBusy(err error) bool {
	e, ok := errors.AsType[sqlite3.Error](err)
	return ok && e.Code == sqlite3.ErrBusy
}

package cache

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/patkit/pat"
)

var (
	// ErrNoFeed means that the store behind the cache is no [pat.ChangeFeed].
	ErrNoFeed = errors.New("cache: the store has no change feed")
	// ErrRunning means that Run is being called already.
	ErrRunning = errors.New("cache: Run is called already")
)

// Pauses between two tries to follow a feed.
const (
	shortestPause = 50 * time.Millisecond
	longestPause  = 2 * time.Second
)

// longestSilence is how long a feed may be silent, where the maximum staleness is longer. A connection that a router has
// forgotten looks like one on which nothing happens.
const longestSilence = 10 * time.Second

// Run follows the change feed of the store behind the cache until ctx is done, and then returns its error. A feed that
// breaks is followed again after a short pause, which grows from 50 milliseconds to two seconds, each up to half
// shorter or longer; [OnFeedError] is told.
//
// Without Run the promise holds as well, but each record is read again once it is older than the maximum staleness. For a
// store without a feed, Run returns [ErrNoFeed] at once, and [ErrRunning] while another call runs.
func (s *Store) Run(ctx context.Context) error {
	feed, ok := s.store.(pat.ChangeFeed)
	if !ok {
		return ErrNoFeed
	}
	if !s.following.CompareAndSwap(false, true) {
		return ErrRunning
	}
	defer s.following.Store(false)
	pause := shortestPause
	for ctx.Err() == nil {
		w := &watcher{store: s}
		err := feed.Watch(ctx, min(s.staleness, longestSilence), w)
		if ctx.Err() != nil {
			break
		}
		s.counts.feedFailures.Add(1)
		s.onFeedError(err)
		if w.session != 0 {
			pause = shortestPause
		}
		// Chance keeps the processes of a service from coming back to a restarted database all at once.
		wait := time.NewTimer(pause/2 + rand.N(pause)) //nolint:gosec // nothing secret
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
		}
		pause = min(2*pause, longestPause)
	}
	return ctx.Err()
}

// watcher is told of changes in one session.
type watcher struct {
	store   *Store
	session uint64 // 0 before the first Current
}

// Changed implements [pat.ChangeWatcher].
func (w *watcher) Changed(prefix string) {
	w.store.counts.changes.Add(1)
	if prefix == "" {
		w.store.dropAll()
		return
	}
	w.store.drop(prefix)
}

// Current implements [pat.ChangeWatcher]. A session begins with the first call, and so do look-ups that belong to it.
func (w *watcher) Current(at time.Time) {
	s := w.store
	if w.session == 0 {
		w.session = s.counts.sessions.Add(1)
	}
	// What a feed says of the future can't be known.
	if now := time.Now(); at.After(now) {
		at = now
	}
	s.proven.Store(&proof{session: w.session, at: s.clock.instant(at)})
}

package postgres

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// listener hands on what a feed reports.
type listener struct {
	changed func(prefix string)
	current func(at time.Time)
}

func (l *listener) Changed(prefix string) { l.changed(prefix) }
func (l *listener) Current(at time.Time)  { l.current(at) }

// followed is a feed that a test follows.
type followed struct {
	heard  chan string    // what was told to have changed
	rounds chan time.Time // the moments up to which it says that it has told everything
	cancel context.CancelFunc
	ended  chan struct{} // closed when it has ended
	err    error         // why, after that
}

// follow follows the feed until the test ends or stop is called, and returns when it has begun. The server is asked often,
// and may take long to answer, so that a slow machine breaks no feed.
func follow(t *testing.T, s *Store) *followed {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := &followed{heard: make(chan string, 100), rounds: make(chan time.Time), cancel: cancel, ended: make(chan struct{})}
	report := &listener{func(prefix string) { f.heard <- prefix }, func(at time.Time) {
		select {
		case f.rounds <- at:
		case <-ctx.Done():
		}
	}}
	go func() {
		defer close(f.ended)
		f.err = s.watch(ctx, time.Minute, 10*time.Millisecond, report)
	}()
	t.Cleanup(func() { _ = f.stop() })
	f.round(t)
	return f
}

// stop ends the feed and returns its error.
func (f *followed) stop() error {
	f.cancel()
	<-f.ended
	return f.err
}

// round returns the next moment up to which everything was told.
func (f *followed) round(t *testing.T) (at time.Time) {
	t.Helper()
	select {
	case at = <-f.rounds:
	case <-f.ended:
		require.FailNow(t, "the feed has ended", f.err)
	}
	return at
}

// told returns what is told of the changes that are acknowledged by now.
func (f *followed) told(t *testing.T) (prefixes []string) {
	t.Helper()
	for acknowledged := time.Now(); !f.round(t).After(acknowledged); {
	}
	for range len(f.heard) {
		prefixes = append(prefixes, <-f.heard)
	}
	return prefixes
}

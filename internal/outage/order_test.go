package outage

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/internal/pgtest"
	"github.com/patkit/pat/internal/testscale"
	"github.com/patkit/pat/postgres"
)

// witness notes what it is told in one call of Watch, in order.
type witness struct {
	mu    sync.Mutex
	begun time.Time // when the first call of Current came
	told  map[string]int
	// proofs has, for each call of Current, its time and how many calls of Changed came before.
	proofs []proof
}

type proof struct {
	at   time.Time
	told int
}

// Changed implements [pat.ChangeWatcher].
func (w *witness) Changed(prefix string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, again := w.told[prefix]; !again {
		w.told[prefix] = len(w.told)
	}
}

// Current implements [pat.ChangeWatcher].
func (w *witness) Current(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.begun.IsZero() {
		w.begun = time.Now()
	}
	w.proofs = append(w.proofs, proof{at, len(w.told)})
}

// isPast reports whether it was told that it knows of all up to a later time.
func (w *witness) isPast(at time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.proofs) > 0 && w.proofs[len(w.proofs)-1].at.After(at)
}

// check looks, for each change that was begun and acknowledged in this call of Watch, at the first call of Current that
// vouches for it. It returns how many there were of those, and an error if one of them came too early.
func (w *witness) check(changes []ended) (vouched int, err error) {
	for _, change := range changes {
		for _, p := range w.proofs {
			if !p.at.After(change.acknowledged) || change.began.Before(w.begun) {
				continue
			}
			vouched++
			if n, told := w.told[change.Token.Prefix]; !told || n >= p.told {
				err = fmt.Errorf("%s in %d tries, acknowledged %v before a proof, was not told of by then", change.way, change.tries, p.at.Sub(change.acknowledged))
			}
			break
		}
	}
	return vouched, err
}

// listener watches until it is told to stop. A feed that breaks is watched anew.
type listener struct {
	mu       sync.Mutex
	sessions []*witness
}

// listen asks for a proof every 5 milliseconds. A server that does not answer for 20, on a machine that is busy, breaks
// the feed.
func (l *listener) listen(ctx context.Context, store *postgres.Store) error {
	const within = 20 * time.Millisecond
	for {
		w := &witness{told: make(map[string]int)}
		l.mu.Lock()
		l.sessions = append(l.sessions, w)
		l.mu.Unlock()
		if err := store.Watch(ctx, within, w); errors.Is(err, context.Canceled) {
			return nil
		}
	}
}

func (l *listener) isPast(at time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.sessions) > 0 && l.sessions[len(l.sessions)-1].isPast(at)
}

func TestUnderLoadNoFeedIsCurrentBeforeItHasToldOfWhatWasAcknowledged(t *testing.T) {
	const listeners, revokers = 4, 8
	s := newService(t, pgtest.Database(t))
	issued := s.create(testscale.Rounds(t, 500, 20_000))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	all := make([]*listener, listeners)
	var listening, revoking sync.WaitGroup
	for i := range all {
		all[i] = new(listener)
		listening.Go(func() { assert.NoError(t, all[i].listen(ctx, s.store)) })
		begin := time.Now()
		poll(t, "the feed begins", func() bool { return all[i].isPast(begin) })
	}
	var mu sync.Mutex
	var changes []ended
	for n := range revokers {
		revoking.Go(func() {
			for i := n; i < len(issued); i += revokers {
				e, err := s.end(ctx, endings[n%len(endings)], issued[i])
				assert.NoError(t, err)
				mu.Lock()
				changes = append(changes, e)
				mu.Unlock()
			}
		})
	}
	revoking.Wait()
	last := time.Now()
	for _, l := range all {
		poll(t, "the feed is current", func() bool { return l.isPast(last) })
	}
	cancel()
	listening.Wait()
	vouched, proofs, sessions := 0, 0, 0
	for _, l := range all {
		for _, w := range l.sessions {
			n, err := w.check(changes)
			require.NoError(t, err)
			vouched += n
			proofs += len(w.proofs)
			sessions++
		}
	}
	require.Positive(t, vouched)
	t.Logf("%d changes, told of to %d listeners in %d sessions before %d proofs vouched for them, %d times", len(issued), listeners, sessions, proofs, vouched)
}

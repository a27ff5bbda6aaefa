package pat

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// writeBehind takes the writes that a verification gives rise to off its path: last-used times, and digests to
// replace. It collects them, writes them in batches from a timer's goroutine that exists only while something is
// pending, and forgets rather than blocks when there are too many.
type writeBehind struct {
	store    Store
	onEvent  func(context.Context, Event)
	now      func() time.Time
	interval time.Duration

	mu      sync.Mutex
	uses    []Use
	queued  generations
	digests map[string]digestSwap // by prefix
	timer   *time.Timer           // not nil while armed or running
	closed  bool
	cancel  context.CancelFunc // ends a write in progress

	writing chan struct{} // holds one token while a batch is being written
}

type digestSwap struct{ old, next Digest }

const (
	// writeDelay is how long writes are collected before a batch goes out.
	writeDelay = time.Second
	// writeTimeout bounds one round of background writes.
	writeTimeout = 30 * time.Second
	// batchSize bounds one Touch, so that a store's write lock is not held long.
	batchSize = 500
	// maxPending bounds what waits while the store is away: about 10 MB. Further uses go unrecorded.
	maxPending = 1 << 16
	// maxPendingDigests is lower, because each is a write of its own. What is left out is found again at the next use.
	maxPendingDigests = 1 << 10
)

func newWriteBehind(store Store, s *settings) *writeBehind {
	return &writeBehind{
		store: store, onEvent: s.onEvent, now: s.now, interval: s.interval,
		digests: make(map[string]digestSwap),
		writing: make(chan struct{}, 1),
	}
}

// due reports whether a use at now is to be written, given the last one that was. One write per interval is enough for
// "is this token still in use?", and a write for each verification would make every read wait for the disk. A
// clock that went backwards writes nothing, as last-used times only move forward.
func due(last, now time.Time, interval time.Duration) bool {
	return !now.Before(last.Add(interval)) || last.IsZero()
}

// generations remembers, by prefix, the use last queued, for at least one interval: a store that is slow, or that
// reads from a replica, still gives the old last-used time, and would be written again. Old entries go a whole map
// at a time, because to look for them one by one would stall the verifications that wait for the lock.
type generations struct {
	young, old map[string]time.Time
	turned     time.Time
}

func (g *generations) last(prefix string) time.Time {
	if at, ok := g.young[prefix]; ok {
		return at
	}
	return g.old[prefix]
}

func (g *generations) add(prefix string, at time.Time, interval time.Duration) {
	if g.young == nil || due(g.turned, at, interval) {
		g.young, g.old, g.turned = make(map[string]time.Time), g.young, at
	}
	if len(g.young) < maxPending {
		g.young[prefix] = at
	}
}

// noteUse queues the use of a token, by whose LastUsedAt one is due, unless one is queued already. It never waits for
// the store.
func (w *writeBehind) noteUse(prefix string, now time.Time) {
	if w.interval < 0 {
		return
	}
	now = canonicalTime(now)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || len(w.uses) >= maxPending || !due(w.queued.last(prefix), now, w.interval) {
		return
	}
	w.queued.add(prefix, now, w.interval)
	w.uses = append(w.uses, Use{Prefix: prefix, At: now})
	w.arm()
}

// noteDigest queues the replacement of a digest.
func (w *writeBehind) noteDigest(prefix string, old, next Digest) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || len(w.digests) >= maxPendingDigests {
		return
	}
	w.digests[prefix] = digestSwap{old, next}
	w.arm()
}

// arm starts the timer, if it doesn't run. The caller holds mu.
func (w *writeBehind) arm() {
	if w.timer == nil && !w.closed {
		w.timer = time.AfterFunc(writeDelay, w.run)
	}
}

// run is one round in the timer's goroutine.
func (w *writeBehind) run() {
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return
	}
	w.writing <- struct{}{} // free: only one timer runs at a time, and close sets closed before it takes it
	w.cancel = cancel
	w.mu.Unlock()

	err := w.write(ctx)
	<-w.writing
	if err != nil {
		w.report(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = nil
	if len(w.uses) > 0 || len(w.digests) > 0 {
		w.arm()
	}
}

// write writes everything that is pending, and puts back what failed.
func (w *writeBehind) write(ctx context.Context) error {
	w.mu.Lock()
	uses, digests := w.uses, w.digests
	w.uses, w.digests = nil, make(map[string]digestSwap)
	w.mu.Unlock()

	for len(uses) > 0 {
		n := min(batchSize, len(uses))
		err := guard(func() error { return w.store.Touch(ctx, uses[:n]) })
		if errors.Is(err, ErrInvalidArgument) { // a clock far from our days: no later try takes it either
			uses = uses[n:]
		}
		if err != nil {
			w.putBack(uses)
			return fmt.Errorf("write last-used times: %w", err)
		}
		uses = uses[n:]
	}
	for prefix, swap := range digests {
		// False means that somebody else replaced it, or that the token was revoked. Either way nothing is left to do.
		err := guard(func() error {
			_, err := w.store.ReplaceDigest(ctx, prefix, swap.old, swap.next)
			return err
		})
		if err != nil {
			return fmt.Errorf("replace digest: %w", err) // the rest is found again at the tokens' next use
		}
	}
	return nil
}

func (w *writeBehind) putBack(uses []Use) {
	w.mu.Lock()
	defer w.mu.Unlock()
	room := max(0, maxPending-len(w.uses))
	w.uses = append(uses[:min(room, len(uses))], w.uses...)
}

// guard turns a panic of the store into an error: in a background goroutine it would end the host's process.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic of type %T", p) // its text may hold anything
		}
	}()
	return f()
}

func (w *writeBehind) report(err error) {
	_ = guard(func() error {
		emit(context.Background(), w.onEvent, Event{Type: EventWriteFailed, Time: w.now(), Reason: fault("background", err)}, nil)
		return nil
	})
}

// close stops the timer, waits for a round in progress and writes what is left.
func (w *writeBehind) close(ctx context.Context) error {
	w.mu.Lock()
	w.closed = true
	if w.timer != nil {
		w.timer.Stop()
	}
	cancel := w.cancel
	w.mu.Unlock()

	select {
	case w.writing <- struct{}{}: // first by itself, so that a done ctx is no error where there is nothing to wait for
	default:
		select {
		case w.writing <- struct{}{}:
		case <-ctx.Done():
			if cancel != nil {
				cancel()
			}
			return ctx.Err()
		}
	}
	if w.idle() {
		<-w.writing
		return nil
	}
	// In a goroutine, because a store may not heed ctx, or not soon.
	written := make(chan error, 1)
	go func() {
		written <- w.write(ctx)
		<-w.writing
	}()
	select {
	case err := <-written:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *writeBehind) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.uses) == 0 && len(w.digests) == 0
}

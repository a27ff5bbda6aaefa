package outage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/patkit/pat"
	"github.com/patkit/pat/cache"
	"github.com/patkit/pat/postgres"
)

// target is what a [worker] opens.
type target struct {
	URL       string
	Staleness time.Duration
	// Patience is how long a verification may take.
	Patience time.Duration
	// Interval is the time from one verification of a token to the next. Without it they are as fast as they can be.
	Interval time.Duration
}

// worker is a process of a service: it verifies, through a cache of its own that follows the feed.
type worker struct {
	target
	cached   *cache.Store
	verifier *pat.Verifier

	stopped    chan struct{}
	goroutines sync.WaitGroup
	mu         sync.Mutex
	sights     []sight
}

// open opens a [target], in JSON.
func (w *worker) open(text string) (pat.Store, func() error, error) {
	if err := json.Unmarshal([]byte(text), &w.target); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	pool, err := pgxpool.New(ctx, w.URL)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	ran := make(chan error, 1)
	closeAll := func() error {
		bounded, cancelBounded := context.WithTimeout(ctx, patience)
		defer cancelBounded()
		err := w.verifier.Close(bounded)
		cancel()
		if runErr := <-ran; !errors.Is(runErr, context.Canceled) {
			err = errors.Join(err, runErr)
		}
		pool.Close()
		return err
	}
	store, err := postgres.New(ctx, pool, postgres.WithoutMigration())
	if err == nil {
		w.cached, err = cache.New(store, cache.WithMaxStaleness(w.Staleness))
	}
	if err == nil {
		w.verifier, err = pat.NewVerifier(w.cached, pat.Config{OwnerActive: isActive})
	}
	if err != nil {
		cancel()
		pool.Close()
		return nil, nil, err
	}
	go func() { ran <- w.cached.Run(ctx) }()
	return w.cached, closeAll, nil
}

// nobody is a user who is not there.
const nobody = "nobody"

func isActive(_ context.Context, userID, _ string) (bool, error) { return userID != nobody, nil }

// admit verifies each of some values once, and says whether all are valid.
func (w *worker) admit(values string) (string, error) {
	for i, value := range strings.Fields(values) {
		if err := w.verify(patience, value, new(sight)); err != nil {
			return "", fmt.Errorf("value %d: %w", i, err)
		}
	}
	return "", nil
}

// watch verifies values over and over, each in a goroutine of its own. It returns once each was found valid.
func (w *worker) watch(values string) (string, error) {
	w.stopped = make(chan struct{})
	all := strings.Fields(values)
	w.sights = make([]sight, len(all))
	for i, value := range all {
		if err := w.verify(patience, value, &w.sights[i]); err != nil {
			return "", err
		}
	}
	for i, value := range all {
		w.goroutines.Go(func() { w.keepVerifying(value, &w.sights[i]) })
	}
	return "", nil
}

func (w *worker) keepVerifying(value string, seen *sight) {
	next := runtime.Gosched // or each goroutine would have 10 milliseconds in a row, and then none for long
	if w.Interval > 0 {
		tick := time.NewTicker(w.Interval)
		defer tick.Stop()
		next = func() { <-tick.C }
	}
	for !w.isStopped() {
		_ = w.verify(w.Patience, value, seen) // is kept there
		next()
	}
}

func (w *worker) isStopped() bool {
	select {
	case <-w.stopped:
		return true
	default:
		return false
	}
}

func (w *worker) verify(limit time.Duration, value string, seen *sight) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	started := time.Now().UnixNano()
	_, err := w.verifier.Verify(ctx, value)
	w.mu.Lock()
	defer w.mu.Unlock()
	seen.add(started, time.Now().UnixNano(), err)
	return err
}

// look returns what was seen so far.
func (w *worker) look(string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return inJSON(w.sights)
}

// stop ends what watch has begun, and returns what was seen.
func (w *worker) stop(string) (string, error) {
	close(w.stopped)
	w.goroutines.Wait()
	return inJSON(w.sights)
}

// stats returns the [cache.Stats].
func (w *worker) stats(string) (string, error) { return inJSON(w.cached.Stats()) }

func inJSON(value any) (string, error) {
	text, err := json.Marshal(value)
	return string(text), err
}

package sqlite

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// write is what a caller wants to have written.
type write struct {
	ctx   context.Context //nolint:containedctx // the caller's, whoever does the work
	since time.Time
	// work may be done again, where the transaction was lost in which it was done before.
	work func(c *session) error
	// done is closed once the outcome is there: err, or what work panicked with.
	done     chan struct{}
	err      error
	panicked any
}

// errUnfinished is the outcome of work that neither returned nor panicked.
var errUnfinished = errors.New("the write was not finished")

// run does the work in the present transaction.
func (w *write) run(c *session) {
	w.err, w.panicked = errUnfinished, nil
	defer func() { w.panicked = recover() }()
	if w.err = w.work(c); w.err == nil {
		// Last chance: from here on, a context that ends changes nothing, so that a commit that succeeded is reported
		// as such.
		w.err = w.ctx.Err()
	}
}

// queue has the writes that wait for their turn, in the order in which they came.
type queue struct {
	mu      sync.Mutex
	waiting []*write
	closed  bool
}

// add reports false for a closed queue.
func (q *queue) add(w *write) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.waiting = append(q.waiting, w)
	}
	return !q.closed
}

// remove takes a write out, and reports false if its turn has come already.
func (q *queue) remove(w *write) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, w)
	if i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	}
	return i >= 0
}

// take takes the first write out, or returns nil.
func (q *queue) take() *write {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		return nil
	}
	w := q.waiting[0]
	q.waiting = slices.Delete(q.waiting, 0, 1)
	return w
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

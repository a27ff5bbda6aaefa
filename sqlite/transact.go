package sqlite

import (
	"context"
	"time"
)

// Writes are committed together up to this number, and as long as those that are done took less than this time, so that
// the first of them, and another process that waits for the lock, do not wait for long. It is a few times what a disk
// takes to sync, beyond which there is nothing to gain.
const (
	mostTogether    = 64
	longestTogether = 20 * time.Millisecond
)

// transact runs work in a transaction of the writer. It may run in the goroutine of another caller, and more than once.
//
// What a transaction takes is mostly the disk's time to sync, so the writes that wait are committed together: the
// caller who gets the connection does them all, each in a savepoint of its own, and nobody has an answer before the
// commit has succeeded. Who is alone waits for nobody.
//
// A write whose context ends while it waits is taken out. Once it is begun it runs to its end, because SQLite would
// roll back the whole transaction if it were interrupted; at its end a context that is done has it undone.
func (s *Store) transact(ctx context.Context, operation string, work func(c *session) error) error {
	if s.writer == nil {
		return failed(ctx, operation, errNotOpened)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &write{ctx: ctx, since: time.Now(), work: work, done: make(chan struct{})}
	if !s.queue.add(w) {
		return failed(ctx, operation, errClosed)
	}
	select {
	case <-s.writer.free:
		s.lead(w)
	case <-w.done:
	case <-ctx.Done():
		if s.queue.remove(w) {
			return ctx.Err()
		}
		<-w.done
	}
	switch {
	case w.panicked != nil:
		panic(w.panicked)
	case w.err != nil:
		return failed(ctx, operation, w.err)
	}
	return nil
}

// lead does a write, and others with it, with the connection that the caller was given.
func (s *Store) lead(w *write) {
	c := s.writer.pop()
	defer s.writer.release(c)
	if s.queue.remove(w) { // else somebody else has done it before the connection was free
		s.commit(c, w)
	}
}

// commit does a write, and those that wait. All that it took have their outcomes when it returns.
func (s *Store) commit(c *session, w *write) {
	t := transaction{session: c, queue: &s.queue, todo: []*write{w}}
	defer t.abandon()
	// Where a transaction was lost, what is to be done again may be that of others, whose wait for the lock the context
	// of w must not end.
	for ctx := w.ctx; len(t.todo) > 0; ctx = context.WithoutCancel(w.ctx) {
		if err := s.begin(ctx, c, t.todo[0].since); err != nil {
			t.settle(&t.todo, c.end(err))
			continue
		}
		t.run()
	}
}

// begin takes the write lock for one who has been in line since the given time. While those before waited for the lock,
// so did all behind them: where another process does not give it back, they all give up when their own time is over,
// and not each a whole time after the one before.
func (s *Store) begin(ctx context.Context, c *session, since time.Time) error {
	if c.lockedSince.IsZero() {
		c.lockedSince = time.Now()
	}
	if since.Before(c.lockedSince) {
		since = c.lockedSince // what one has waited for the writes of this process does not count
	}
	err := c.begin(ctx, time.Until(since.Add(s.busyTimeout)))
	if err == nil {
		c.lockedSince = time.Time{}
	}
	return err
}

// drainQueue does the writes that still wait.
func (s *Store) drainQueue() {
	<-s.writer.free
	c := s.writer.pop()
	defer s.writer.release(c)
	for w := s.queue.take(); w != nil; w = s.queue.take() {
		s.commit(c, w)
	}
}

// transaction is one for several writes.
type transaction struct {
	session *session
	queue   *queue
	todo    []*write // to be begun before those in the queue
	begun   []*write // which have their outcomes when the transaction has its own
}

// run does the writes and commits them. What it leaves to do lost its transaction through another write.
func (t *transaction) run() {
	began := time.Now()
	for full := false; !full; full = len(t.begun) == mostTogether || time.Since(began) >= longestTogether {
		w := t.next()
		if w == nil {
			break
		}
		first := len(t.begun) == 0
		t.begun = append(t.begun, w)
		if !t.session.try(w, first) {
			_ = t.session.end(w.err)
			t.todo = append(t.begun[:len(t.begun)-1], t.todo...)
			t.begun = nil
			close(w.done)
			return
		}
	}
	t.settle(&t.begun, ofCommit(t.session.end(nil)))
}

func (t *transaction) next() *write {
	if len(t.todo) == 0 {
		return t.queue.take()
	}
	w := t.todo[0]
	t.todo = t.todo[1:]
	return w
}

// settle gives writes their outcomes: an error that is that of all of them, or each its own.
func (t *transaction) settle(writes *[]*write, err error) {
	for _, w := range *writes {
		if err != nil {
			w.err = err
		}
		close(w.done)
	}
	*writes = nil
}

// abandon sees to it that nobody waits for ever where some work ended the goroutine.
func (t *transaction) abandon() {
	if len(t.begun)+len(t.todo) > 0 {
		_ = t.session.end(errUnfinished)
		t.settle(&t.begun, errUnfinished)
		t.settle(&t.todo, errUnfinished)
	}
}

// try does a write. If that fails, it undoes what the write has changed and nothing else, and reports false where it
// can't: where the transaction is lost, as after some errors of the disk, or the write is the first in it, which needs
// no savepoint.
func (c *session) try(w *write, first bool) bool {
	if first {
		w.run(c)
		return w.err == nil
	}
	if _, w.err = c.change(c.writes.savepoint); w.err != nil {
		return false
	}
	w.run(c)
	if w.err != nil {
		return c.exec("ROLLBACK TO pat_write; RELEASE pat_write") == nil
	}
	_, w.err = c.change(c.writes.release)
	return w.err == nil
}

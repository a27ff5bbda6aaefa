package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

// line is a store and the callers who wait there for their turn to write. It is made in a bubble of synctest.
type line struct {
	*faultyStore
	t        *testing.T
	session  *session // which nobody else has until release
	mu       sync.Mutex
	outcomes []error // of the callers, in the order in which they came
}

var errWaits = errors.New("it has no answer yet")

func newLine(t *testing.T) *line {
	f := newFaultyStore(t)
	c, err := f.writer.acquire(t.Context(), f.closed)
	require.NoError(t, err)
	f.injector.arm(0, false)
	return &line{faultyStore: f, t: t, session: c}
}

// call starts a call, and waits until it waits.
func (l *line) call(f func() error) {
	l.t.Helper()
	n := len(l.answers())
	l.outcomes = append(l.outcomes, errWaits)
	answer := func(err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.outcomes[n] = err
	}
	go func() {
		defer func() {
			if v := recover(); v != nil {
				answer(fmt.Errorf("panic: %v", v))
			}
		}()
		answer(f())
	}()
	synctest.Wait()
}

func (l *line) answers() []error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.outcomes)
}

func (l *line) insert(ctx context.Context, limit int) pat.Record {
	l.t.Helper()
	rec := testRecord(l.t)
	n := len(l.answers())
	rec.Token.ID, rec.Token.Prefix = fmt.Sprintf("0199c0de-0000-7000-8000-%012d", 100+n), fmt.Sprintf("inLine%06d", n)
	l.call(func() error { return l.Insert(ctx, rec, limit) })
	return rec
}

func (l *line) work(ctx context.Context, work func(c *session) error) {
	l.t.Helper()
	l.call(func() error { return l.transact(ctx, "test", work) })
}

// release lets the callers have the session, and waits until they have their answers, or wait for something else.
func (l *line) release() {
	l.writer.release(l.session)
	synctest.Wait()
}

func (l *line) count(statement string) (n int) {
	for _, seen := range l.injector.seen {
		if strings.HasPrefix(seen, statement) {
			n++
		}
	}
	return n
}

// holds checks which of the callers' records are there.
func (l *line) holds(recs []pat.Record, want ...bool) {
	l.t.Helper()
	for i, rec := range recs {
		_, err := l.FindByPrefix(l.t.Context(), rec.Token.Prefix)
		if want[i] {
			assert.NoError(l.t, err, "number %d", i)
		} else {
			assert.ErrorIs(l.t, err, pat.ErrNotFound, "number %d", i)
		}
	}
}

// inLine runs a test in a bubble.
func inLine(t *testing.T, test func(t *testing.T, l *line)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t)
		test(t, l)
		l.rested(t)
	})
}

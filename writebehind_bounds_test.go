package pat

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestGenerationsRememberForAnIntervalAndForgetAfterTwo(t *testing.T) {
	const interval = time.Minute
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var g generations
	assert.True(t, g.last("a").IsZero())
	g.add("a", start, interval)
	assert.Equal(t, start, g.last("a"))
	g.add("b", start.Add(interval-1), interval)
	g.add("c", start.Add(interval), interval)
	assert.Equal(t, start, g.last("a"), "one generation later it is still there")
	g.add("d", start.Add(2*interval), interval)
	assert.True(t, g.last("a").IsZero(), "two generations later it is gone")
	assert.True(t, g.last("b").IsZero())
	assert.Equal(t, start.Add(interval), g.last("c"))
	g.add("c", start.Add(3*interval), interval)
	assert.Equal(t, start.Add(3*interval), g.last("c"), "the younger one counts")
}

func TestGenerationsAreBounded(t *testing.T) {
	var g generations
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i := range maxPending + 10 {
		g.add(strconv.Itoa(i), at, time.Minute)
	}
	assert.Len(t, g.young, maxPending)
}

func TestAUseIsDueOnceTheIntervalHasPassed(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		last, now time.Time
		want      bool
	}{
		"never used":                     {time.Time{}, at, true},
		"just used":                      {at, at, false},
		"shortly before the interval":    {at, at.Add(time.Minute - 1), false},
		"when the interval has passed":   {at, at.Add(time.Minute), true},
		"long ago":                       {at, at.Add(time.Hour), true},
		"by a clock that went backwards": {at, at.Add(-time.Hour), false},
	} {
		assert.Equal(t, c.want, due(c.last, c.now, time.Minute), name)
	}
}

// While a store is away, what waits for it must not grow without end.
func TestPendingWritesAreBounded(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	w := newWriteBehind(nil, &settings{interval: time.Minute})
	w.closed = true // so that no timer starts
	w.noteUse("late", at)
	w.noteDigest("late", Digest{}, Digest{})
	assert.Empty(t, w.uses, "a closed one takes nothing")
	assert.Empty(t, w.digests, "a closed one takes nothing")

	w = newWriteBehind(nil, &settings{interval: time.Minute})
	w.timer = time.NewTimer(time.Hour) // as if it was armed
	for i := range maxPending + 10 {
		w.noteUse(strconv.Itoa(i), at)
		w.noteDigest(strconv.Itoa(i), Digest{}, Digest{})
	}
	assert.Len(t, w.uses, maxPending)
	assert.Len(t, w.digests, maxPendingDigests)

	failed := w.uses[:3]
	w.uses = w.uses[:maxPending-1]
	w.putBack(failed)
	assert.Len(t, w.uses, maxPending, "what failed is put back as far as there is room")
}

// failing is a store whose writes fail as often as told.
type failing struct {
	Store
	touches, digests int
}

func (s *failing) Touch(context.Context, []Use) error {
	if s.touches--; s.touches >= 0 {
		return ErrCorrupt
	}
	return nil
}

func (s *failing) ReplaceDigest(context.Context, string, Digest, Digest) (bool, error) {
	if s.digests--; s.digests >= 0 {
		return false, ErrCorrupt
	}
	return true, nil
}

func TestTheTimerRunsWhileSomethingIsPendingAndNoLonger(t *testing.T) {
	armed := func(w *writeBehind) bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.timer != nil
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWriteBehind(&failing{touches: 1}, &settings{interval: time.Minute, now: time.Now})
		assert.False(t, armed(w))
		w.noteUse("a", time.Now())
		assert.True(t, armed(w))
		time.Sleep(writeDelay + writeDelay/2)
		assert.True(t, armed(w), "the write failed and is tried again")
		time.Sleep(writeDelay)
		assert.False(t, armed(w))

		w.noteDigest("a", Digest{}, Digest{})
		assert.True(t, armed(w))
		time.Sleep(writeDelay + writeDelay/2)
		assert.False(t, armed(w))

		w = newWriteBehind(&failing{digests: 1}, &settings{interval: time.Minute, now: time.Now})
		w.noteDigest("a", Digest{}, Digest{})
		time.Sleep(writeDelay + writeDelay/2)
		assert.False(t, armed(w), "a digest comes again with its token's next use")
	})
}

// A timer that has fired can't be stopped: its round may begin after close.
func TestARoundThatBeginsAfterCloseWritesNothing(t *testing.T) {
	w := newWriteBehind(nil, &settings{ // a nil Store fails if it is called
		interval: time.Minute, now: time.Now, onEvent: func(_ context.Context, e Event) { assert.Fail(t, "a write was tried", "%v", e.Reason) },
	})
	assert.NoError(t, w.close(t.Context()))
	w.uses = []Use{{Prefix: "late"}}
	w.run()
	assert.True(t, w.mu.TryLock(), "the lock is free")
	assert.Empty(t, w.writing)
	assert.Len(t, w.uses, 1)
}

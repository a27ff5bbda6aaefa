package pat_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

// touches collects what is written of last-used times.
type touches struct {
	mu      sync.Mutex
	batches [][]pat.Use
}

func (w *touches) take() [][]pat.Use {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.batches
	w.batches = nil
	return taken
}

func (w *touches) record(h *house) {
	h.store.onTouch(func(ctx context.Context, uses []pat.Use) error {
		w.mu.Lock()
		w.batches = append(w.batches, slices.Clone(uses))
		w.mu.Unlock()
		return h.store.Store.Touch(ctx, uses)
	})
}

// The tests below run in a bubble of testing/synctest, where time.Now and timers share a fake clock that moves on
// when every goroutine waits.

func TestUsesAreWrittenInBatchesAfterTheAnswerAtMostOncePerInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, pat.Config{Now: time.Now})
		written := &touches{}
		written.record(h)
		a, aValue := h.create(t)
		b, bValue := h.create(t)
		start := time.Now().UTC()
		for range 5 {
			for _, value := range []string{aValue, bValue} {
				tok, err := h.Verify(t.Context(), value)
				require.NoError(t, err)
				assert.True(t, tok.LastUsedAt.IsZero(), "the time of an earlier use")
			}
		}
		assert.Empty(t, written.take(), "nothing is written before the answer")
		time.Sleep(2 * time.Second)
		assert.Equal(t, [][]pat.Use{{{Prefix: a.Prefix, At: start}, {Prefix: b.Prefix, At: start}}}, written.take())

		for range 57 { // up to one second before the interval ends
			time.Sleep(time.Second)
			tok, err := h.Verify(t.Context(), aValue)
			require.NoError(t, err)
			assert.Equal(t, start, tok.LastUsedAt)
		}
		synctest.Wait()
		assert.Empty(t, written.take())

		time.Sleep(time.Second)
		_, err := h.Verify(t.Context(), aValue)
		require.NoError(t, err)
		time.Sleep(2 * time.Second)
		assert.Equal(t, [][]pat.Use{{{Prefix: a.Prefix, At: start.Add(time.Minute)}}}, written.take())
	})
}

func TestAStoreThatGivesStaleTimesIsNotWrittenMoreOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, pat.Config{Now: time.Now})
		written := &touches{}
		written.record(h)
		tok, value := h.create(t)
		stale, err := h.store.FindByPrefix(t.Context(), tok.Prefix)
		require.NoError(t, err)
		h.store.findByPrefix = func(context.Context, string) (pat.Record, error) { return stale, nil }
		for range 10 * 60 {
			_, err := h.Verify(t.Context(), value)
			require.NoError(t, err)
			time.Sleep(time.Second)
		}
		synctest.Wait()
		batches := written.take()
		assert.Len(t, batches, 10)
		for i := 1; i < len(batches); i++ {
			assert.GreaterOrEqual(t, batches[i][0].At.Sub(batches[i-1][0].At), time.Minute)
		}
	})
}

func TestAnOutdatedDigestIsReplacedInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, pat.Config{Now: time.Now})
		tok, value := h.create(t)
		key := pat.PepperKey{ID: "k1", Key: pat.NewSecret(make([]byte, 32))}
		h.open(t, pat.Config{Now: time.Now, PepperKeys: []pat.PepperKey{key}, LastUsedInterval: -1})
		_, err := h.Verify(t.Context(), value)
		require.NoError(t, err)
		before, err := h.store.FindByPrefix(t.Context(), tok.Prefix)
		require.NoError(t, err)
		assert.Equal(t, "sha256", before.Digest.Algorithm(), "after the answer")
		time.Sleep(2 * time.Second)
		after, err := h.store.FindByPrefix(t.Context(), tok.Prefix)
		require.NoError(t, err)
		assert.Equal(t, "hmac-sha256", after.Digest.Algorithm())
		assert.Equal(t, before.Token, after.Token, "nothing but the digest changes")
	})
}

func TestNoGoroutineIsLeftWhenNothingIsPending(t *testing.T) {
	// A bubble ends only when every goroutine in it has ended, so that this test fails by deadlock if one stays.
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, pat.Config{Now: time.Now})
		_, value := h.create(t)
		_, err := h.Verify(t.Context(), value)
		require.NoError(t, err)
	})
}

func TestAFailedWriteIsTriedAgainAndFailsNoVerification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := &recorder{}
		h := newHouse(t, pat.Config{Now: time.Now, OnEvent: events.OnEvent})
		tok, value := h.create(t)
		used := time.Now().UTC()
		_, err := h.Verify(t.Context(), value)
		require.NoError(t, err)
		time.Sleep(500 * time.Millisecond) // from here on, half way between two tries
		for _, failing := range []func(context.Context, []pat.Use) error{
			func(context.Context, []pat.Use) error { return errDown },
			func(context.Context, []pat.Use) error { panic("a store's bug") },
		} {
			h.store.onTouch(failing)
			events.take()
			time.Sleep(time.Second)
			failed := events.take()
			require.Len(t, failed, 1)
			assert.Equal(t, pat.EventWriteFailed, failed[0].Type)
			require.Error(t, failed[0].Reason)
			assert.NotContains(t, failed[0].Reason.Error(), "a store's bug")
			_, err := h.Verify(t.Context(), value)
			require.NoError(t, err)
		}
		h.store.onTouch(nil)
		time.Sleep(2 * time.Second)
		got, err := h.Get(t.Context(), tok.ID)
		require.NoError(t, err)
		assert.Equal(t, used, got.LastUsedAt, "the time of the use, not of the write")
	})
}

func TestATimeThatTheStoreRefusesHoldsNothingUp(t *testing.T) {
	h := newHouse(t, pat.Config{})
	tok, value := h.create(t)
	_, err := h.Verify(t.Context(), value)
	require.NoError(t, err)
	h.store.onTouch(func(context.Context, []pat.Use) error {
		return fmt.Errorf("wrapped: %w", &pat.ArgumentError{Argument: "Use.At", Rule: "must lie in our days"})
	})
	require.ErrorIs(t, h.Close(t.Context()), pat.ErrInvalidArgument)
	h.store.onTouch(nil)
	require.NoError(t, h.Close(t.Context()))
	got, err := h.Get(t.Context(), tok.ID)
	require.NoError(t, err)
	assert.True(t, got.LastUsedAt.IsZero(), "it is not tried again")
}

func TestAPanicOfTheHookInTheBackgroundStaysThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := make(chan struct{}, 1)
		h := newHouse(t, pat.Config{Now: time.Now, OnEvent: func(_ context.Context, e pat.Event) {
			if e.Type == pat.EventWriteFailed {
				failed <- struct{}{}
				panic("a bug of the host")
			}
		}})
		_, value := h.create(t)
		h.store.onTouch(func(context.Context, []pat.Use) error { return errDown })
		_, err := h.Verify(t.Context(), value)
		require.NoError(t, err)
		<-failed
		<-failed // and it goes on
		h.store.onTouch(nil)
	})
}

func TestASlowStoreHoldsUpNoVerification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, pat.Config{Now: time.Now})
		_, aValue := h.create(t)
		_, bValue := h.create(t)
		let := make(chan struct{})
		h.store.onTouch(func(context.Context, []pat.Use) error { <-let; return nil })
		_, err := h.Verify(t.Context(), aValue)
		require.NoError(t, err)
		time.Sleep(2 * time.Second) // the write is in progress now
		for range 3 {
			_, err = h.Verify(t.Context(), bValue)
			require.NoError(t, err)
		}
		close(let)
	})
}

func TestABackgroundWriteIsBoundedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, pat.Config{Now: time.Now})
		_, value := h.create(t)
		waited := make(chan time.Duration, 1)
		h.store.onTouch(func(ctx context.Context, _ []pat.Use) error {
			began := time.Now()
			<-ctx.Done()
			h.store.onTouch(nil)
			waited <- time.Since(began)
			return ctx.Err()
		})
		_, err := h.Verify(t.Context(), value)
		require.NoError(t, err)
		assert.Equal(t, 30*time.Second, <-waited)
	})
}

func TestCloseWritesWhatIsPending(t *testing.T) {
	h := newHouse(t, pat.Config{})
	tok, value := h.create(t)
	h.clock.Advance(time.Hour)
	_, err := h.Verify(t.Context(), value)
	require.NoError(t, err)
	require.NoError(t, h.Close(t.Context()))
	got, err := h.Get(t.Context(), tok.ID)
	require.NoError(t, err)
	assert.Equal(t, h.clock.stamp(), got.LastUsedAt)
	assert.Equal(t, tok.UpdatedAt, got.UpdatedAt, "being used is not a change")

	h.clock.Advance(time.Hour)
	_, err = h.Verify(t.Context(), value)
	require.NoError(t, err, "a closed Verifier goes on verifying")
	require.NoError(t, h.Close(t.Context()), "closing again is harmless")
	again, err := h.Get(t.Context(), tok.ID)
	require.NoError(t, err)
	assert.Equal(t, got.LastUsedAt, again.LastUsedAt, "but records no further use")
}

func TestCloseWaitsForAWriteInProgressNoLongerThanItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, pat.Config{Now: time.Now})
		tok, value := h.create(t)
		let := make(chan time.Time, 1)
		h.store.onTouch(func(ctx context.Context, _ []pat.Use) error {
			<-ctx.Done()
			let <- time.Now()
			return ctx.Err()
		})
		_, err := h.Verify(t.Context(), value)
		require.NoError(t, err)
		time.Sleep(2 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		require.ErrorIs(t, h.Close(ctx), context.DeadlineExceeded)
		assert.Equal(t, 5*time.Second, time.Since(began))
		assert.Equal(t, 5*time.Second, (<-let).Sub(began), "and ends the write")
		synctest.Wait()

		h.store.onTouch(nil)
		require.NoError(t, h.Close(t.Context()), "another Close writes what the first could not")
		got, err := h.Get(t.Context(), tok.ID)
		require.NoError(t, err)
		assert.False(t, got.LastUsedAt.IsZero())
	})
}

func TestCloseUnderADoneContext(t *testing.T) {
	h := newHouse(t, pat.Config{})
	for range 50 {
		require.NoError(t, h.Close(cancelled()), "nothing is pending")
	}
	h.open(t, pat.Config{})
	_, value := h.create(t)
	_, err := h.Verify(t.Context(), value)
	require.NoError(t, err)
	for range 50 {
		require.ErrorIs(t, h.Close(cancelled()), context.Canceled, "a use is pending")
	}
	require.NoError(t, h.Close(t.Context()))
}

func TestCloseWaitsForAStoreThatDoesNotHeedItsContextNoLongerThanItsOwn(t *testing.T) {
	h := newHouse(t, pat.Config{})
	_, value := h.create(t)
	let := make(chan struct{})
	h.store.onTouch(func(context.Context, []pat.Use) error { <-let; return nil })
	_, err := h.Verify(t.Context(), value)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	closed := make(chan error)
	go func() { closed <- h.Close(ctx) }()
	cancel()
	require.ErrorIs(t, <-closed, context.Canceled)
	close(let)
}

func TestARecordedUseNeverUndoesARevoke(t *testing.T) {
	h := newHouse(t, pat.Config{})
	tok, value := h.create(t)
	_, err := h.Verify(t.Context(), value)
	require.NoError(t, err)
	_, err = h.Revoke(t.Context(), tok.ID)
	require.NoError(t, err)
	require.NoError(t, h.Close(t.Context()))
	_, err = h.Verify(t.Context(), value)
	requireReason(t, err, pat.ErrRevoked)
}

func TestANegativeIntervalRecordsNothing(t *testing.T) {
	h := newHouse(t, pat.Config{LastUsedInterval: -1})
	tok, value := h.create(t)
	_, err := h.Verify(t.Context(), value)
	require.NoError(t, err)
	require.NoError(t, h.Close(t.Context()))
	got, err := h.Get(t.Context(), tok.ID)
	require.NoError(t, err)
	assert.True(t, got.LastUsedAt.IsZero())
}

func TestAFailedVerificationIsNoUse(t *testing.T) {
	h := newHouse(t, pat.Config{})
	tok, value := h.create(t)
	_, err := h.Verify(t.Context(), otherSecret(value))
	require.Error(t, err)
	_, err = h.Revoke(t.Context(), tok.ID)
	require.NoError(t, err)
	_, err = h.Verify(t.Context(), value)
	require.Error(t, err)
	require.NoError(t, h.Close(t.Context()))
	got, err := h.Get(t.Context(), tok.ID)
	require.NoError(t, err)
	assert.True(t, got.LastUsedAt.IsZero())
}

func TestAClockThatWentBackWritesNothing(t *testing.T) {
	h := newHouse(t, pat.Config{})
	written := &touches{}
	written.record(h)
	_, value := h.create(t)
	_, err := h.Verify(t.Context(), value)
	require.NoError(t, err)
	require.NoError(t, h.Close(t.Context()))
	require.Len(t, written.take(), 1)
	h.open(t, pat.Config{})
	h.clock.Advance(-24 * time.Hour)
	_, err = h.Verify(t.Context(), value)
	require.NoError(t, err)
	require.NoError(t, h.Close(t.Context()))
	assert.Empty(t, written.take())
}

func TestLargeBatchesAreSplit(t *testing.T) {
	h := newHouse(t, pat.Config{})
	written := &touches{}
	written.record(h)
	for range 1200 {
		_, value := h.create(t)
		_, err := h.Verify(t.Context(), value)
		require.NoError(t, err)
	}
	require.NoError(t, h.Close(t.Context()))
	var sizes []int
	for _, batch := range written.take() {
		sizes = append(sizes, len(batch))
	}
	assert.Equal(t, 1200, sizes[0]+sizes[1]+sizes[2])
	assert.LessOrEqual(t, slices.Max(sizes), 500)
}

// A context with a time limit holds a timer until it is cancelled.
func TestTheContextOfARoundEndsWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, pat.Config{Now: time.Now})
		contexts := make(chan context.Context, 1)
		h.store.onTouch(func(ctx context.Context, _ []pat.Use) error {
			contexts <- ctx
			return ctx.Err()
		})
		_, value := h.create(t)
		_, err := h.Verify(t.Context(), value)
		require.NoError(t, err)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		assert.ErrorIs(t, (<-contexts).Err(), context.Canceled)
	})
}

// A second round beside one that writes would wait for it with the lock held, which every verification needs.
func TestAUseThatIsNotedWhileARoundWritesStartsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, pat.Config{Now: time.Now})
		release := make(chan struct{})
		var rounds atomic.Int32
		h.store.onTouch(func(context.Context, []pat.Use) error {
			rounds.Add(1)
			<-release
			return nil
		})
		for range 3 {
			_, value := h.create(t)
			_, err := h.Verify(t.Context(), value)
			require.NoError(t, err)
			time.Sleep(2 * time.Second)
		}
		assert.EqualValues(t, 1, rounds.Load())
		close(release)
		require.NoError(t, h.Verifier.Close(t.Context()))
		assert.EqualValues(t, 2, rounds.Load())
	})
}

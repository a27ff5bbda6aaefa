package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/testscale"
	"github.com/patkit/pat/storetest"
)

// TestEveryFaultAtEveryCallOfEveryOperation finds out, without a fault, which calls an operation makes of the store and
// what the store holds before each; then lets each call meet each fault.
func TestEveryFaultAtEveryCallOfEveryOperation(t *testing.T) {
	var cells atomic.Int64
	t.Cleanup(func() { // once the parallel tests have ended
		t.Logf("%d cells: %d operations on %d stores, each of their calls with each of up to %d faults",
			cells.Load(), len(operations), len(stores), len(faults))
	})
	few := testscale.Rounds(t, 4, len(faults))
	for _, store := range stores {
		for _, op := range operations {
			faults := faults
			if store.slow && op.crowd > 0 {
				continue // it would take a thousand syncs of the disk for each cell
			}
			if store.slow || op.crowd > 0 {
				faults = faults[:few]
			}
			t.Run(store.name+"/"+op.name, func(t *testing.T) {
				t.Parallel() // most of the time goes by waiting for the disk
				calls, states := op.undisturbed(t, store)
				if !op.inSteps {
					assert.LessOrEqual(t, len(slices.Compact(slices.Clone(states))), 2, "there is nothing between before and after")
				}
				for n, method := range calls {
					for _, f := range faults {
						if f.in != nil && !slices.Contains(f.in, method) {
							continue
						}
						cells.Add(1)
						t.Run(fmt.Sprintf("%s, as call %d, %s", method, n+1, f.name), func(t *testing.T) {
							synctest.Test(t, func(t *testing.T) { op.meets(t, store, f, method, n, states) })
						})
					}
				}
			})
		}
	}
}

// start opens a service for the operation.
func (op operation) start(t *testing.T, on backend) *service {
	s := newService(t, on)
	s.crowd(op.crowd)
	return s
}

// undisturbed returns the calls that the operation makes of the store, and what the store holds before each of them and
// after the last. On the way it shows that a store which is slow at any of them does no harm.
func (op operation) undisturbed(t *testing.T, on backend) (calls, states []string) {
	synctest.Test(t, func(t *testing.T) {
		s := op.start(t, on)
		states = append(states, s.state())
		out := op.attempt(t.Context(), s)
		require.Equal(t, outcome{admitted: out.admitted}, out)
		calls = s.faults.Calls()
		require.NotEmpty(t, calls)
	})
	for n := range calls {
		synctest.Test(t, func(t *testing.T) {
			s := op.start(t, on)
			met := s.faults.Inject(n+1, storetest.Block())
			done := make(chan outcome)
			go func() { done <- op.attempt(t.Context(), s) }()
			<-met
			states = append(states[:n], s.state())
			s.faults.Heal()
			out := <-done
			require.Equal(t, outcome{admitted: out.admitted}, out)
			states = append(states, s.state())
		})
	}
	return calls, states
}

// meets lets the call with index n of an operation meet a fault.
func (op operation) meets(t *testing.T, on backend, f fault, method string, n int, states []string) {
	s := op.start(t, on)
	met := s.faults.Inject(n+1, f.inject)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan outcome)
	go func() { done <- op.attempt(ctx, s) }()
	<-met
	if f.blocks {
		cancel()
	}
	op.check(t, s, f, method, <-done)

	s.faults.Heal()
	state := s.state()
	switch {
	case op.writesBehind && method == "Touch" && !errors.Is(f.cause, pat.ErrInvalidArgument): // no later try takes those
		assert.Equal(t, states[n+1], state, "the times are written by a later try")
	case f.made:
		assert.Equal(t, states[n+1], state, "the call was made, and the operation ended with it")
	default:
		assert.Equal(t, states[n], state, "the call was not made, and the operation ended before it")
	}
	if on.cached && method == "FindByPrefix" && f.made {
		time.Sleep(staleness) // on the clock of the bubble, since what the store has got wrong may be held for as long
	}
	op.again(t, s, state, states[len(states)-1])
}

// isBehind reports whether a method is one that a Verifier calls to write, which it does in a goroutine of its own.
func isBehind(method string) bool { return method == "Touch" || method == "ReplaceDigest" }

// check looks at the outcome of an operation whose call met a fault.
func (op operation) check(t *testing.T, s *service, f fault, method string, out outcome) {
	t.Helper()
	if op.writesBehind && isBehind(method) {
		require.Equal(t, outcome{admitted: true}, out, "a fault in the background fails no verification")
		failed := s.writesFailed()
		require.Len(t, failed, 1, "and is told of")
		if f.panics {
			assert.NotContains(t, failed[0].Error(), secretOfAFault)
		}
		return
	}
	assert.False(t, out.admitted, "nobody gets in through a fault")
	switch {
	case op.over == overHTTP:
		require.Equal(t, outcome{err: statusError(500)}, out)
		require.Len(t, s.reports, 1, "the host learns the cause")
		return
	case f.panics && isBehind(method): // Close writes in a goroutine
		require.ErrorContains(t, out.err, "panic of type string")
		return
	case f.panics:
		require.Equal(t, outcome{panicked: secretOfAFault}, out, "the panic goes to the caller")
		return
	}
	require.Nil(t, out.panicked)
	require.Error(t, out.err)
	claimsInvalid := errors.Is(f.cause, pat.ErrInvalidToken)
	if f.cause != nil && !(claimsInvalid && method == "FindByPrefix") {
		require.ErrorIs(t, out.err, f.cause)
	}
	if !claimsInvalid || method == "FindByPrefix" {
		require.NotErrorIs(t, out.err, pat.ErrInvalidToken, "a fault never looks like a refusal, whatever the store says")
	}
	require.NotErrorIs(t, out.err, pat.ErrNotFound)
}

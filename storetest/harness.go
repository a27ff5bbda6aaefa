package storetest

import (
	"context"
	"errors"
	"sync"

	"github.com/patkit/pat"
)

// harness is what a case works with: its store, and checks that print the rule with each failure.
type harness struct {
	reporter
	rule  string
	store pat.Store
	made  int // how many records were made, which numbers them
}

// ctx is what the cases pass where they don't test the context. It can't end, because a store that hangs is
// shown best by the stacks that go test prints at its time limit.
var ctx = context.Background()

func (h *harness) failf(format string, args ...any) {
	h.Helper()
	h.Errorf(format+"\nThe rule: %s", append(args, h.rule)...)
}

func (h *harness) fatalf(format string, args ...any) {
	h.Helper()
	h.failf(format, args...)
	h.FailNow()
}

// ok ends the case if there is an error.
func (h *harness) ok(err error, call string) {
	h.Helper()
	if err != nil {
		h.fatalf("%s: unexpected error: %v", call, err)
	}
}

// sentinels are errors that a store may not mix up.
var sentinels = []error{
	pat.ErrNotFound, pat.ErrExists, pat.ErrLimitReached, pat.ErrRotated, pat.ErrCorrupt, pat.ErrInvalidArgument,
	pat.ErrInvalidToken, context.Canceled, context.DeadlineExceeded,
}

// fails checks that an error is the one expected and none of the others.
func (h *harness) fails(err, want error, call string) {
	h.Helper()
	if !errors.Is(err, want) {
		h.failf("%s: got error %v, want one that matches %q under errors.Is", call, err, want)
		return
	}
	for _, other := range sentinels {
		if errors.Is(err, other) && !errors.Is(want, other) {
			h.failf("%s: the error matches %q, as it should, but also %q", call, want, other)
		}
	}
}

// insert adds records without a limit.
func (h *harness) insert(records ...pat.Record) {
	h.Helper()
	for _, rec := range records {
		h.ok(h.store.Insert(ctx, rec, 0), "Insert")
	}
}

// added makes a record and adds it.
func (h *harness) added(changes ...change) pat.Record {
	h.Helper()
	rec := h.record(changes...)
	h.insert(rec)
	return rec
}

// revoked adds a record and revokes it.
func (h *harness) revoked(changes ...change) pat.Record {
	h.Helper()
	rec := h.added(changes...)
	tok, _, err := h.store.Revoke(ctx, rec.Token.ID, later(1))
	h.ok(err, "Revoke")
	rec.Token = tok
	return rec
}

// rotated adds a record and rotates it with a grace period, and returns it as it then is, and its successor.
func (h *harness) rotated(changes ...change) (old, next pat.Record) {
	h.Helper()
	old = h.added(changes...)
	next = h.successor(old)
	h.ok(h.store.Rotate(ctx, pat.Rotation{OldID: old.Token.ID, At: later(1), End: later(10), New: next}), "Rotate")
	return h.find(old.Token.Prefix), next
}

func (h *harness) find(prefix string) pat.Record {
	h.Helper()
	rec, err := h.store.FindByPrefix(ctx, prefix)
	h.ok(err, "FindByPrefix")
	return rec
}

// list returns all tokens of an owner, revoked ones too.
func (h *harness) list(owner pat.Owner) []pat.Token {
	h.Helper()
	tokens, err := h.store.List(ctx, pat.ListQuery{Owner: owner, IncludeRevoked: true, Limit: 10_000})
	h.ok(err, "List")
	return tokens
}

// together runs f(0) to f(n-1) at the same time and returns their errors.
func together(n int, f func(i int) error) []error {
	errs := make([]error, n)
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			errs[i] = f(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return errs
}

// onlyOne checks that one of several calls succeeded and that the others failed with one of the expected errors. It
// returns the index of the one.
func (h *harness) onlyOne(errs []error, call string, losers ...error) int {
	h.Helper()
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner >= 0:
			h.fatalf("%s: more than one of %d calls at once succeeded", call, len(errs))
		case err == nil:
			winner = i
		case !matchesAny(err, losers):
			h.failf("%s: of several calls at once, one failed with %v, want one of %q", call, err, losers)
		}
	}
	if winner < 0 {
		h.fatalf("%s: none of %d calls at once succeeded: %v", call, len(errs), errs[0])
	}
	return winner
}

func matchesAny(err error, targets []error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

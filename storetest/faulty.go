package storetest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/patkit/pat"
)

// Faulty is a [pat.Store] that hands every call on to another store, except for those that meet a [Fault]. With it, a
// test can see what its service does when the store fails, whichever store that is, and at each moment in turn. It is
// safe for concurrent use. Make it with [NewFaulty].
type Faulty struct {
	store pat.Store

	mu    sync.Mutex
	calls []string
	at    int
	fault Fault
	met   chan struct{} // closed by the first call that meets the fault
	over  chan struct{} // closed when the fault is taken away
}

var _ pat.Store = (*Faulty)(nil)

// NewFaulty returns a store that does what the given one does, until [Faulty.Inject] is called.
func NewFaulty(store pat.Store) *Faulty {
	f := &Faulty{store: store}
	f.Inject(0, Fault{})
	return f
}

// EveryCall stands for the number of a call, in [Faulty.Inject].
const EveryCall = -1

// Inject lets one call meet the fault: the n-th from now on, counted from 1, or every one for n = [EveryCall]. It takes
// the place of the fault injected before. The channel is closed by the first call that meets the fault, as the fault
// begins: a test that waits for it knows that the call is under way.
func (f *Faulty) Inject(n int, fault Fault) (met <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over != nil {
		close(f.over)
	}
	f.calls, f.at, f.fault = nil, n, fault
	f.met, f.over = make(chan struct{}), make(chan struct{})
	return f.met
}

// Heal takes the fault away. Calls that it blocks go on.
func (f *Faulty) Heal() { f.Inject(0, Fault{}) }

// Calls returns the names of the methods that were called since NewFaulty, Inject or Heal, whichever came last, in
// the order in which the calls began.
func (f *Faulty) Calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// begin counts a call and returns the fault that it meets.
func (f *Faulty) begin(method string) (fault Fault, over <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, method)
	if n := len(f.calls); f.at != EveryCall && f.at != n {
		return Fault{}, nil
	}
	select {
	case <-f.met:
	default:
		close(f.met)
	}
	return f.fault, f.over
}

// call makes one call of the store with the fault that it meets, and returns that fault, for the result.
func (f *Faulty) call(ctx context.Context, method string, proceed func() error) (Fault, error) {
	fault, over := f.begin(method)
	if fault.before != nil {
		if err := fault.before(ctx, over); err != nil {
			return Fault{}, err
		}
	}
	if err := proceed(); err != nil {
		return Fault{}, err
	}
	return fault, fault.after
}

// Insert implements [pat.Store].
func (f *Faulty) Insert(ctx context.Context, rec pat.Record, limit int) error {
	_, err := f.call(ctx, "Insert", func() error { return f.store.Insert(ctx, rec, limit) })
	return err
}

// FindByPrefix implements [pat.Store].
func (f *Faulty) FindByPrefix(ctx context.Context, prefix string) (rec pat.Record, err error) {
	fault, err := f.call(ctx, "FindByPrefix", func() (err error) {
		rec, err = f.store.FindByPrefix(ctx, prefix)
		return err
	})
	return fault.record(rec), err
}

// FindByID implements [pat.Store].
func (f *Faulty) FindByID(ctx context.Context, id string) (tok pat.Token, err error) {
	fault, err := f.call(ctx, "FindByID", func() (err error) {
		tok, err = f.store.FindByID(ctx, id)
		return err
	})
	return fault.token(tok), err
}

// List implements [pat.Store].
func (f *Faulty) List(ctx context.Context, query pat.ListQuery) (list []pat.Token, err error) {
	fault, err := f.call(ctx, "List", func() (err error) {
		list, err = f.store.List(ctx, query)
		return err
	})
	return fault.tokens(list), err
}

// Rotate implements [pat.Store].
func (f *Faulty) Rotate(ctx context.Context, rotation pat.Rotation) error {
	_, err := f.call(ctx, "Rotate", func() error { return f.store.Rotate(ctx, rotation) })
	return err
}

// Revoke implements [pat.Store].
func (f *Faulty) Revoke(ctx context.Context, id string, at time.Time) (tok pat.Token, changed bool, err error) {
	fault, err := f.call(ctx, "Revoke", func() (err error) {
		tok, changed, err = f.store.Revoke(ctx, id, at)
		return err
	})
	return fault.token(tok), changed, err
}

// RevokeAll implements [pat.Store].
func (f *Faulty) RevokeAll(ctx context.Context, owner pat.Owner, at time.Time) (revoked []pat.Token, err error) {
	fault, err := f.call(ctx, "RevokeAll", func() (err error) {
		revoked, err = f.store.RevokeAll(ctx, owner, at)
		return err
	})
	return fault.tokens(revoked), err
}

// Touch implements [pat.Store].
func (f *Faulty) Touch(ctx context.Context, uses []pat.Use) error {
	_, err := f.call(ctx, "Touch", func() error { return f.store.Touch(ctx, uses) })
	return err
}

// ReplaceDigest implements [pat.Store].
func (f *Faulty) ReplaceDigest(ctx context.Context, prefix string, old, next pat.Digest) (replaced bool, err error) {
	_, err = f.call(ctx, "ReplaceDigest", func() (err error) {
		replaced, err = f.store.ReplaceDigest(ctx, prefix, old, next)
		return err
	})
	return replaced, err
}

// Purge implements [pat.Store].
func (f *Faulty) Purge(ctx context.Context, before time.Time, limit int) (deleted int, err error) {
	_, err = f.call(ctx, "Purge", func() (err error) {
		deleted, err = f.store.Purge(ctx, before, limit)
		return err
	})
	return deleted, err
}

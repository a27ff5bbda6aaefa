package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/patkit/pat"
	"github.com/patkit/pat/memory"
)

func TestAFaultyStoreWithoutAFaultKeepsTheRules(t *testing.T) {
	Run(t, func(*testing.T) pat.Store { return NewFaulty(memory.New()) })
}

// calls has one of each method, of a store that holds rec. It reports whether its result has tokens that all passed
// change.
var calls = map[string]func(ctx context.Context, s pat.Store, h *harness, rec pat.Record) (changed bool, err error){
	"Insert": func(ctx context.Context, s pat.Store, h *harness, _ pat.Record) (bool, error) {
		return false, s.Insert(ctx, h.record(), 0)
	},
	"FindByPrefix": func(ctx context.Context, s pat.Store, _ *harness, rec pat.Record) (bool, error) {
		got, err := s.FindByPrefix(ctx, rec.Token.Prefix)
		return got.Token.Name == "changed", err
	},
	"FindByID": func(ctx context.Context, s pat.Store, _ *harness, rec pat.Record) (bool, error) {
		got, err := s.FindByID(ctx, rec.Token.ID)
		return got.Name == "changed", err
	},
	"List": func(ctx context.Context, s pat.Store, _ *harness, rec pat.Record) (bool, error) {
		got, err := s.List(ctx, pat.ListQuery{Owner: pat.Owner{UserID: rec.Token.UserID}, Limit: 10})
		return len(got) == 1 && got[0].Name == "changed", err
	},
	"Rotate": func(ctx context.Context, s pat.Store, h *harness, rec pat.Record) (bool, error) {
		return false, s.Rotate(ctx, pat.Rotation{OldID: rec.Token.ID, At: later(1), End: later(1), New: h.successor(rec)})
	},
	"Revoke": func(ctx context.Context, s pat.Store, _ *harness, rec pat.Record) (bool, error) {
		got, _, err := s.Revoke(ctx, rec.Token.ID, later(1))
		return got.Name == "changed", err
	},
	"RevokeAll": func(ctx context.Context, s pat.Store, _ *harness, rec pat.Record) (bool, error) {
		got, err := s.RevokeAll(ctx, pat.Owner{UserID: rec.Token.UserID}, later(1))
		return len(got) == 1 && got[0].Name == "changed", err
	},
	"Touch": func(ctx context.Context, s pat.Store, _ *harness, rec pat.Record) (bool, error) {
		return false, s.Touch(ctx, []pat.Use{{Prefix: rec.Token.Prefix, At: later(1)}})
	},
	"ReplaceDigest": func(ctx context.Context, s pat.Store, _ *harness, rec pat.Record) (bool, error) {
		_, err := s.ReplaceDigest(ctx, rec.Token.Prefix, rec.Digest, digest("next"))
		return false, err
	},
	"Purge": func(ctx context.Context, s pat.Store, _ *harness, _ pat.Record) (bool, error) {
		_, err := s.Purge(ctx, later(1000), 10)
		return false, err
	},
}

var reads = []string{"FindByPrefix", "FindByID", "List"}

func TestEveryMethodMeetsEveryFault(t *testing.T) {
	down := errors.New("down")
	for method, call := range calls {
		// meeting calls the method once with a fault, and reports what came of it and whether the store was changed.
		meeting := func(t *testing.T, ctx context.Context, fault Fault) (changed, written bool, err error) {
			t.Helper()
			inner := memory.New()
			h := &harness{reporter: t, rule: method, store: inner}
			rec := h.added()
			before := h.find(rec.Token.Prefix)
			store := NewFaulty(inner)
			met := store.Inject(1, fault)
			defer func() {
				select {
				case <-met:
				default:
					t.Error("the call did not meet the fault")
				}
				if got := store.Calls(); !slices.Equal(got, []string{method}) {
					t.Errorf("the store counted %v", got)
				}
				now, err := inner.FindByPrefix(context.Background(), rec.Token.Prefix)
				all := h.list(pat.Owner{UserID: rec.Token.UserID})
				written = err != nil || now.Digest != before.Digest || len(compare(now.Token, before.Token)) > 0 || len(all) != 1
			}()
			changed, err = call(ctx, store, h, rec)
			return changed, written, err
		}
		writes := !slices.Contains(reads, method)
		t.Run("Fail/"+method, func(t *testing.T) {
			if _, written, err := meeting(t, ctx, Fail(down)); !errors.Is(err, down) || written {
				t.Errorf("got error %v, and written is %t", err, written)
			}
		})
		t.Run("FailAfter/"+method, func(t *testing.T) {
			if _, written, err := meeting(t, ctx, FailAfter(down)); !errors.Is(err, down) || written != writes {
				t.Errorf("got error %v, and written is %t", err, written)
			}
		})
		t.Run("Block/"+method, func(t *testing.T) {
			canceled, cancel := context.WithCancel(ctx)
			cancel()
			if _, written, err := meeting(t, canceled, Block()); !errors.Is(err, context.Canceled) || written {
				t.Errorf("got error %v, and written is %t", err, written)
			}
		})
		t.Run("Corrupt/"+method, func(t *testing.T) {
			hasTokens := map[string]bool{"FindByPrefix": true, "FindByID": true, "List": true, "Revoke": true, "RevokeAll": true}[method]
			fault := Corrupt(func(rec *pat.Record) { rec.Token.Name = "changed" })
			if changed, written, err := meeting(t, ctx, fault); err != nil || changed != hasTokens || written != writes {
				t.Errorf("got error %v, changed is %t and written is %t", err, changed, written)
			}
		})
		t.Run("Panic/"+method, func(t *testing.T) {
			defer func() {
				if p := recover(); p != "out of order" {
					t.Errorf("the panic was %v", p)
				}
			}()
			_, _, _ = meeting(t, ctx, Panic("out of order"))
		})
	}
}

func TestOnlyTheNthCallMeetsTheFault(t *testing.T) {
	store, down := NewFaulty(memory.New()), errors.New("down")
	fails := func() bool {
		_, err := store.FindByID(ctx, numberedID(1))
		return errors.Is(err, down)
	}
	for _, c := range []struct {
		n    int
		want [4]bool
	}{
		{1, [4]bool{true, false, false, false}},
		{3, [4]bool{false, false, true, false}},
		{EveryCall, [4]bool{true, true, true, true}},
		{0, [4]bool{}},
	} {
		store.Inject(c.n, Fail(down))
		if got := [4]bool{fails(), fails(), fails(), fails()}; got != c.want {
			t.Errorf("Inject(%d): the calls that failed are %v, want %v", c.n, got, c.want)
		}
		store.Heal()
		if fails() {
			t.Error("a call failed after Heal")
		}
		if got := store.Calls(); len(got) != 1 {
			t.Errorf("after Heal, calls are counted anew, and not on from %v", got)
		}
	}
}

func TestABlockedCallGoesOnOnceTheFaultIsTakenAway(t *testing.T) {
	for name, takeAway := range map[string]func(*Faulty){
		"by Heal":           (*Faulty).Heal,
		"by another Inject": func(f *Faulty) { f.Inject(1, Fail(errors.New("down"))) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := NewFaulty(memory.New())
				met := store.Inject(1, Block())
				done := make(chan error, 1)
				go func() {
					_, err := store.FindByID(ctx, numberedID(1))
					done <- err
				}()
				<-met
				synctest.Wait() // until the call waits, or has ended
				select {
				case err := <-done:
					t.Fatalf("the call did not wait, and returned %v", err)
				default:
				}
				takeAway(store)
				if err := <-done; !errors.Is(err, pat.ErrNotFound) {
					t.Errorf("got error %v, want that of the store", err)
				}
			})
		})
	}
}

func TestACallThatFailsByItselfKeepsItsError(t *testing.T) {
	store := NewFaulty(memory.New())
	store.Inject(EveryCall, FailAfter(errors.New("down")))
	if _, err := store.FindByID(ctx, numberedID(1)); !errors.Is(err, pat.ErrNotFound) {
		t.Errorf("got error %v", err)
	}
	store.Inject(EveryCall, Corrupt(func(rec *pat.Record) { rec.Token.Name = "changed" }))
	if tok, err := store.FindByID(ctx, numberedID(1)); !errors.Is(err, pat.ErrNotFound) || tok.Name != "" {
		t.Errorf("got error %v and the name %q", err, tok.Name)
	}
}

// Under the race detector.
func TestFaultsMayComeAndGoWhileCallsAreMade(t *testing.T) {
	store, down := NewFaulty(memory.New()), errors.New("down")
	for _, err := range together(8, func(i int) error {
		for n := range 100 {
			switch {
			case i == 0:
				store.Inject(n%3, []Fault{Fail(down), Block(), FailAfter(down)}[n%3])
			case i == 1:
				store.Calls()
			default:
				if _, err := store.FindByID(ctx, numberedID(n)); !errors.Is(err, pat.ErrNotFound) && !errors.Is(err, down) {
					return err
				}
			}
		}
		if i == 0 {
			store.Heal()
		}
		return nil
	}) {
		if err != nil {
			t.Error(err)
		}
	}
}

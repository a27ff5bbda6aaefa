package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patkit/pat"
)

var concurrencyCases = []testCase{
	{
		name: "Concurrency/nothing undoes a revoke",
		rule: "Once Revoke has returned, every FindByPrefix that starts later shows the token revoked, whatever uses, digests, " +
			"rotations and repeated inserts are written at the same time. No method writes a whole record back.",
		run: func(h *harness) {
			for round := range 20 {
				h.revokeAmongWrites(round%2 == 0)
			}
		},
	},
	{
		name: "Concurrency/every goroutine sees what was written",
		rule: "Once a writing call has returned, every reading call that starts later, on any goroutine, sees what it wrote.",
		run: func(h *harness) {
			records := make([]pat.Record, 40)
			for i := range records {
				records[i] = h.record(ownedBy("user-1", fmt.Sprintf("group-%d", i%5)))
			}
			written := make(chan pat.Record)
			errs := together(8, func(i int) error {
				if i > 0 { // the readers
					var failed error
					for rec := range written { // to the end, because the writer waits for its readers
						if failed == nil {
							failed = seen(h.store, rec)
						}
					}
					return failed
				}
				defer close(written)
				for _, rec := range records {
					if err := writes(h.store, rec, func(rec pat.Record) { written <- rec }); err != nil {
						return err
					}
				}
				return nil
			})
			for _, err := range errs {
				h.ok(err, "reading what another goroutine wrote")
			}
		},
	},
	{
		name: "Concurrency/a rotation is seen whole",
		rule: "Rotate is one step: who sees the old token rotated sees all of its changes, and finds the new one.",
		run: func(h *harness) {
			for round := range 20 {
				end := later(1 + round%2*9)
				old := h.added()
				next := h.successor(old)
				var rotated atomic.Bool
				errs := together(4, func(i int) error {
					if i == 0 {
						defer rotated.Store(true)
						return h.store.Rotate(ctx, pat.Rotation{OldID: old.Token.ID, At: later(1), End: end, New: next})
					}
					for last := false; !last; {
						last = rotated.Load() // whoever reads after this sees the rotation
						if err := rotationSeenWhole(h.store, old.Token, end, last); err != nil {
							return err
						}
					}
					return nil
				})
				for _, err := range errs {
					h.ok(err, "reading during Rotate")
				}
			}
		},
	},
	{
		name: "Concurrency/many writers and readers",
		rule: "All methods are safe for concurrent use, and none fails because others run: a store that is busy waits.",
		run: func(h *harness) {
			const writers = 8
			var records [writers][20]pat.Record
			for i := range records {
				for n := range records[i] {
					records[i][n] = h.record(ownedBy(fmt.Sprintf("user-%d", i), fmt.Sprintf("group-%d", i%3)), expiringAt(later(n)))
				}
			}
			errs := together(writers, func(i int) error {
				for _, rec := range records[i] {
					if err := writes(h.store, rec, func(pat.Record) {}); err != nil {
						return err
					}
					if _, err := h.store.Purge(ctx, later(-1), 1); err != nil {
						return err
					}
				}
				return nil
			})
			for _, err := range errs {
				h.ok(err, "writing at the same time")
			}
			for i := range records {
				h.onlyOwned(pat.Owner{UserID: fmt.Sprintf("user-%d", i)}, len(records[i]))
			}
		},
	},
}

// revokeAmongWrites revokes a token while others write to it, and reads it from then on until they are done.
func (h *harness) revokeAmongWrites(all bool) {
	h.Helper()
	rec := h.added()
	writers := untilRevoked(h.store, rec, h.successor(rec))
	var underWay sync.WaitGroup
	underWay.Add(len(writers))
	var writing atomic.Int32
	writing.Store(int32(len(writers)))
	revoked := make(chan struct{})
	errs := together(2+len(writers), func(i int) error {
		switch i {
		case 0:
			defer close(revoked)
			underWay.Wait()
			if all {
				_, err := h.store.RevokeAll(ctx, pat.Owner{UserID: "user-1"}, later(1))
				return err
			}
			_, _, err := h.store.Revoke(ctx, rec.Token.ID, later(1))
			return err
		case 1:
			<-revoked
			for last := false; !last; {
				last = writing.Load() == 0
				if got, err := h.store.FindByPrefix(ctx, rec.Token.Prefix); err != nil || !got.Token.RevokedAt.Equal(later(1)) {
					return fmt.Errorf("FindByPrefix after Revoke: RevokedAt is %v, want %v; error %w", got.Token.RevokedAt, later(1), err)
				}
			}
			return nil
		}
		defer writing.Add(-1)
		write := writers[i-2]
		err := write(1)
		underWay.Done()
		for n := 2; err == nil && n <= 100; n++ {
			select {
			case <-revoked:
				return write(n) // the last one began after the revoke, the one before it mostly spanned it
			default:
				err = write(n)
			}
		}
		return err
	})
	for _, err := range errs {
		h.ok(err, "writing and reading around a revoke")
	}
}

// untilRevoked returns functions that write to a token again and again. Where they come too late they return nil.
func untilRevoked(store pat.Store, rec, next pat.Record) []func(n int) error {
	touch := func(n int) error { return store.Touch(ctx, []pat.Use{{Prefix: rec.Token.Prefix, At: later(n)}}) }
	replace := func(n int) error {
		_, err := store.ReplaceDigest(ctx, rec.Token.Prefix, numbered(rec.Digest, n-1), numbered(rec.Digest, n))
		return err
	}
	rotate := func(int) error {
		err := store.Rotate(ctx, pat.Rotation{OldID: rec.Token.ID, At: later(1), End: later(10), New: next})
		if errors.Is(err, pat.ErrRevoked) {
			return nil
		}
		return err
	}
	insert := func(int) error {
		err := store.Insert(ctx, rec, 0)
		if errors.Is(err, pat.ErrExists) { // once its digest was replaced
			return nil
		}
		return err
	}
	return []func(int) error{touch, touch, replace, rotate, insert}
}

// numbered returns the nth digest in a row that begins with first.
func numbered(first pat.Digest, n int) pat.Digest {
	if n == 0 {
		return first
	}
	return digest(fmt.Sprintf("%032d", -n))
}

// writes adds a record, and changes it by each of the other methods in turn. It hands every state to then.
func writes(store pat.Store, rec pat.Record, then func(pat.Record)) error {
	if err := store.Insert(ctx, rec, 1000); err != nil {
		return fmt.Errorf("Insert: %w", err)
	}
	then(rec)
	if err := store.Touch(ctx, []pat.Use{{Prefix: rec.Token.Prefix, At: later(1)}}); err != nil {
		return fmt.Errorf("Touch: %w", err)
	}
	rec.Token.LastUsedAt = later(1)
	then(rec)
	next := digest("next " + rec.Token.ID)
	if replaced, err := store.ReplaceDigest(ctx, rec.Token.Prefix, rec.Digest, next); err != nil || !replaced {
		return fmt.Errorf("ReplaceDigest: reported %t, error %w", replaced, err)
	}
	rec.Digest = next
	then(rec)
	tok, _, err := store.Revoke(ctx, rec.Token.ID, later(2))
	if err != nil {
		return fmt.Errorf("Revoke: %w", err)
	}
	rec.Token = tok
	then(rec)
	return nil
}

// seen reports how what the store has falls behind what was written.
func seen(store pat.Store, want pat.Record) error {
	rec, err := store.FindByPrefix(ctx, want.Token.Prefix)
	if err != nil {
		return fmt.Errorf("FindByPrefix: %w", err)
	}
	tok, err := store.FindByID(ctx, want.Token.ID)
	if err != nil {
		return fmt.Errorf("FindByID: %w", err)
	}
	tokens, err := store.List(ctx, pat.ListQuery{Owner: pat.Owner{GroupID: want.Token.GroupID}, IncludeRevoked: true, Limit: 1000})
	if err != nil {
		return fmt.Errorf("List: %w", err)
	}
	views := []pat.Token{rec.Token, tok}
	for _, listed := range tokens {
		if listed.ID == want.Token.ID {
			views = append(views, listed)
		}
	}
	if len(views) != 3 {
		return errors.New("List does not have a token that was added before")
	}
	for _, got := range views { // each may already have what was written after
		if got.LastUsedAt.Before(want.Token.LastUsedAt) || got.RevokedAt.Before(want.Token.RevokedAt) {
			return fmt.Errorf("an older state came back: LastUsedAt %v, RevokedAt %v", got.LastUsedAt, got.RevokedAt)
		}
	}
	return nil
}

// rotationSeenWhole reads a token that is being rotated, and reports a state that is neither the old nor the new one.
func rotationSeenWhole(store pat.Store, old pat.Token, end time.Time, rotated bool) error {
	rec, err := store.FindByPrefix(ctx, old.Prefix)
	if err != nil {
		return err
	}
	got := rec.Token
	if !rotated && len(compare(got, old)) == 0 {
		return nil
	}
	want := old
	want.UpdatedAt, want.RotatedTo = later(1), got.RotatedTo
	if end.After(later(1)) {
		want.ExpiresAt = end
	} else {
		want.RevokedAt = later(1)
	}
	if differences := compare(got, want); len(differences) > 0 || got.RotatedTo == "" {
		return fmt.Errorf("half a rotation: %v", differences)
	}
	if _, err := store.FindByID(ctx, got.RotatedTo); err != nil {
		return fmt.Errorf("FindByID of the token that RotatedTo names: %w", err)
	}
	return nil
}

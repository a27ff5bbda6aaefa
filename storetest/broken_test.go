package storetest

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/patkit/pat"
	"github.com/patkit/pat/memory"
)

// broken is a store that keeps the rules, except in the methods that are set.
type broken struct {
	pat.Store
	insert        func(context.Context, pat.Record, int) error
	findByPrefix  func(context.Context, string) (pat.Record, error)
	findByID      func(context.Context, string) (pat.Token, error)
	list          func(context.Context, pat.ListQuery) ([]pat.Token, error)
	rotate        func(context.Context, pat.Rotation) error
	revoke        func(context.Context, string, time.Time) (pat.Token, bool, error)
	revokeAll     func(context.Context, pat.Owner, time.Time) ([]pat.Token, error)
	touch         func(context.Context, []pat.Use) error
	replaceDigest func(context.Context, string, pat.Digest, pat.Digest) (bool, error)
	purge         func(context.Context, time.Time, int) (int, error)

	// rewritten has records that take the place of those of the Store, as if it had been written to directly.
	mu        sync.Mutex
	rewritten map[string]pat.Record // by id
}

// breaking returns a function that opens a store and breaks it.
func breaking(spoil func(b *broken)) func() pat.Store {
	return func() pat.Store {
		b := &broken{Store: memory.New(), rewritten: make(map[string]pat.Record)}
		spoil(b)
		return b
	}
}

// rewriting returns a function that opens a store whose Insert changes the record.
func rewriting(change func(*pat.Record)) func() pat.Store {
	return breaking(func(b *broken) {
		b.insert = func(ctx context.Context, rec pat.Record, limit int) error {
			change(&rec)
			return b.Store.Insert(ctx, rec, limit)
		}
	})
}

// reading returns a function that opens a store whose FindByPrefix changes the record.
func reading(change func(*pat.Record)) func() pat.Store {
	return breaking(func(b *broken) {
		b.findByPrefix = func(ctx context.Context, prefix string) (pat.Record, error) {
			rec, err := b.Store.FindByPrefix(ctx, prefix)
			change(&rec)
			return rec, err
		}
	})
}

// listing returns a function that opens a store whose List gets all tokens of all owners, newest first, and chooses
// itself.
func listing(choose func(all []pat.Token, query pat.ListQuery) []pat.Token) func() pat.Store {
	return breaking(func(b *broken) {
		groups := make(map[string]bool)
		b.insert = func(ctx context.Context, rec pat.Record, limit int) error {
			groups[rec.Token.GroupID] = true
			return b.Store.Insert(ctx, rec, limit)
		}
		b.list = func(ctx context.Context, query pat.ListQuery) ([]pat.Token, error) {
			var all []pat.Token
			for group := range groups {
				tokens, err := b.Store.List(ctx, pat.ListQuery{Owner: pat.Owner{GroupID: group}, IncludeRevoked: true, Limit: 10_000})
				if err != nil {
					return nil, err
				}
				all = append(all, tokens...)
			}
			tokens := choose(all, query)
			return tokens[:min(len(tokens), query.Limit)], nil
		}
	})
}

// save writes a whole record back.
func (b *broken) save(rec pat.Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rewritten[rec.Token.ID] = rec
}

// update changes the record with this prefix in whatever way.
func (b *broken) update(prefix string, change func(*pat.Record)) {
	if rec, err := b.FindByPrefix(ctx, prefix); err == nil {
		change(&rec)
		b.save(rec)
	}
}

func (b *broken) updateByID(id string, change func(*pat.Record)) {
	if tok, err := b.Store.FindByID(ctx, id); err == nil {
		b.update(tok.Prefix, change)
	}
}

// pause gives others the time to come between two steps that should be one.
func pause() {
	for range 100 {
		runtime.Gosched()
	}
}

func (b *broken) current(tok pat.Token) pat.Token {
	b.mu.Lock()
	defer b.mu.Unlock()
	if rec, ok := b.rewritten[tok.ID]; ok {
		return rec.Token
	}
	return tok
}

func (b *broken) Insert(ctx context.Context, rec pat.Record, limit int) error {
	if b.insert != nil {
		return b.insert(ctx, rec, limit)
	}
	return b.Store.Insert(ctx, rec, limit)
}

func (b *broken) FindByPrefix(ctx context.Context, prefix string) (pat.Record, error) {
	if b.findByPrefix != nil {
		return b.findByPrefix(ctx, prefix)
	}
	rec, err := b.Store.FindByPrefix(ctx, prefix)
	b.mu.Lock()
	defer b.mu.Unlock()
	if saved, ok := b.rewritten[rec.Token.ID]; ok {
		return saved, err
	}
	return rec, err
}

func (b *broken) FindByID(ctx context.Context, id string) (pat.Token, error) {
	if b.findByID != nil {
		return b.findByID(ctx, id)
	}
	tok, err := b.Store.FindByID(ctx, id)
	return b.current(tok), err
}

func (b *broken) List(ctx context.Context, query pat.ListQuery) ([]pat.Token, error) {
	if b.list != nil {
		return b.list(ctx, query)
	}
	tokens, err := b.Store.List(ctx, query)
	for i := range tokens {
		tokens[i] = b.current(tokens[i])
	}
	return tokens, err
}

func (b *broken) Rotate(ctx context.Context, rotation pat.Rotation) error {
	if b.rotate != nil {
		return b.rotate(ctx, rotation)
	}
	return b.Store.Rotate(ctx, rotation)
}

func (b *broken) Revoke(ctx context.Context, id string, at time.Time) (pat.Token, bool, error) {
	if b.revoke != nil {
		return b.revoke(ctx, id, at)
	}
	return b.Store.Revoke(ctx, id, at)
}

func (b *broken) RevokeAll(ctx context.Context, owner pat.Owner, at time.Time) ([]pat.Token, error) {
	if b.revokeAll != nil {
		return b.revokeAll(ctx, owner, at)
	}
	return b.Store.RevokeAll(ctx, owner, at)
}

func (b *broken) Touch(ctx context.Context, uses []pat.Use) error {
	if b.touch != nil {
		return b.touch(ctx, uses)
	}
	return b.Store.Touch(ctx, uses)
}

func (b *broken) ReplaceDigest(ctx context.Context, prefix string, old, next pat.Digest) (bool, error) {
	if b.replaceDigest != nil {
		return b.replaceDigest(ctx, prefix, old, next)
	}
	return b.Store.ReplaceDigest(ctx, prefix, old, next)
}

func (b *broken) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	if b.purge != nil {
		return b.purge(ctx, before, limit)
	}
	return b.Store.Purge(ctx, before, limit)
}

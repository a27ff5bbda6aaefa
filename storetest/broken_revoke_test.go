package storetest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/patkit/pat"
)

var brokenRevocations = []breakage{
	{"forgets UpdatedAt", "Revoke/sets the times and nothing else", breaking(func(b *broken) {
		b.revoke = func(ctx context.Context, id string, at time.Time) (pat.Token, bool, error) {
			before, _ := b.Store.FindByID(ctx, id)
			tok, changed, err := b.Store.Revoke(ctx, id, at)
			tok.UpdatedAt = before.UpdatedAt
			return tok, changed, err
		}
	})},
	{"returns the token as it was", "Revoke/sets the times and nothing else", breaking(func(b *broken) {
		b.revoke = func(ctx context.Context, id string, at time.Time) (pat.Token, bool, error) {
			before, _ := b.Store.FindByID(ctx, id)
			_, changed, err := b.Store.Revoke(ctx, id, at)
			return before, changed, err
		}
	})},
	{"overwrites the first time", "Revoke/the first time stays", breaking(func(b *broken) {
		b.revoke = func(ctx context.Context, id string, at time.Time) (pat.Token, bool, error) {
			tok, changed, err := b.Store.Revoke(ctx, id, at)
			tok.RevokedAt = at
			b.update(tok.Prefix, func(r *pat.Record) { r.Token.RevokedAt = at })
			return tok, changed, err
		}
	})},
	{"says changed each time", "Revoke/the first time stays", breaking(func(b *broken) {
		b.revoke = func(ctx context.Context, id string, at time.Time) (pat.Token, bool, error) {
			tok, _, err := b.Store.Revoke(ctx, id, at)
			return tok, err == nil, err
		}
	})},
	{"takes an absent token for revoked", "Revoke/an absent token", breaking(func(b *broken) {
		b.revoke = func(ctx context.Context, id string, at time.Time) (pat.Token, bool, error) {
			tok, changed, err := b.Store.Revoke(ctx, id, at)
			if errors.Is(err, pat.ErrNotFound) {
				err = nil
			}
			return tok, changed, err
		}
	})},
	{"revokes by an id in upper case", "Revoke/what is no id", breaking(func(b *broken) {
		b.revoke = func(ctx context.Context, id string, at time.Time) (pat.Token, bool, error) {
			return b.Store.Revoke(ctx, strings.ToLower(id), at)
		}
	})},
	{"revokes at no time", "Revoke/without a time", breaking(func(b *broken) {
		b.revoke = func(ctx context.Context, id string, at time.Time) (pat.Token, bool, error) {
			if tok, err := b.Store.FindByID(ctx, id); at.IsZero() {
				return tok, err == nil, err
			}
			return b.Store.Revoke(ctx, id, at)
		}
	})},
	{"revokes the predecessor too", "Revoke/only the token meant", breaking(func(b *broken) {
		b.revoke = func(ctx context.Context, id string, at time.Time) (pat.Token, bool, error) {
			tok, changed, err := b.Store.Revoke(ctx, id, at)
			if tok.RotatedFrom != "" {
				_, _, _ = b.Store.Revoke(ctx, tok.RotatedFrom, at)
			}
			return tok, changed, err
		}
	})},
	{"looks and revokes in two steps", "Revoke/of many at once, one is first", breaking(func(b *broken) {
		b.revoke = func(ctx context.Context, id string, at time.Time) (pat.Token, bool, error) {
			before, err := b.Store.FindByID(ctx, id)
			if err != nil {
				return before, false, err
			}
			pause()
			tok, _, err := b.Store.Revoke(ctx, id, at)
			return tok, !before.Revoked(), err
		}
	})},

	{"revokes only in the group of the same id", "RevokeAll/of a user", revokingOwner(func(o pat.Owner) pat.Owner {
		return pat.Owner{UserID: o.UserID, GroupID: o.UserID}
	})},
	{"takes a group for a user", "RevokeAll/of a group", revokingOwner(func(o pat.Owner) pat.Owner { return pat.Owner{UserID: o.GroupID} })},
	{"revokes the whole group", "RevokeAll/of a user in a group", revokingOwner(func(o pat.Owner) pat.Owner { return pat.Owner{GroupID: o.GroupID} })},
	{"revokes somebody for nobody", "RevokeAll/of nobody", revokingOwner(func(o pat.Owner) pat.Owner {
		if o == (pat.Owner{}) {
			o.UserID = "a"
		}
		return o
	})},
	{"returns tokens revoked before", "RevokeAll/leaves revoked tokens as they are", breaking(func(b *broken) {
		b.revokeAll = func(ctx context.Context, owner pat.Owner, at time.Time) ([]pat.Token, error) {
			if _, err := b.Store.RevokeAll(ctx, owner, at); err != nil {
				return nil, err
			}
			return b.Store.List(ctx, pat.ListQuery{Owner: owner, IncludeRevoked: true, Limit: 1000})
		}
	})},
	{"revokes everything at no time", "RevokeAll/without a time", breaking(func(b *broken) {
		b.revokeAll = func(ctx context.Context, owner pat.Owner, at time.Time) ([]pat.Token, error) {
			if at.IsZero() {
				return b.Store.List(ctx, pat.ListQuery{Owner: owner, Limit: 1000})
			}
			return b.Store.RevokeAll(ctx, owner, at)
		}
	})},
	{"revokes a page", "RevokeAll/however many", breaking(func(b *broken) {
		b.revokeAll = func(ctx context.Context, owner pat.Owner, at time.Time) ([]pat.Token, error) {
			tokens, err := b.Store.List(ctx, pat.ListQuery{Owner: owner, Limit: 1000})
			for i := range tokens {
				tokens[i], _, _ = b.Store.Revoke(ctx, tokens[i].ID, at)
			}
			return tokens, err
		}
	})},
	{"returns what it keeps", "Aliasing/what RevokeAll returned is the caller's", breaking(func(b *broken) {
		var own []pat.Token
		b.revokeAll = func(ctx context.Context, owner pat.Owner, at time.Time) (_ []pat.Token, err error) {
			own, err = b.Store.RevokeAll(ctx, owner, at)
			return own, err
		}
		b.findByID = func(context.Context, string) (pat.Token, error) { return own[0], nil }
	})},

	{"touches with a stale copy of the record", "Concurrency/nothing undoes a revoke", breaking(func(b *broken) {
		b.touch = func(ctx context.Context, uses []pat.Use) error {
			for _, use := range uses {
				rec, err := b.Store.FindByPrefix(ctx, use.Prefix)
				if err != nil {
					continue
				}
				pause()
				rec.Token.LastUsedAt = use.At
				b.save(rec)
			}
			return nil
		}
	})},
	{"replaces digests with a stale copy of the record", "Concurrency/nothing undoes a revoke", breaking(func(b *broken) {
		b.replaceDigest = func(ctx context.Context, prefix string, _, next pat.Digest) (bool, error) {
			rec, err := b.Store.FindByPrefix(ctx, prefix)
			pause()
			rec.Digest = next
			b.save(rec)
			return true, err
		}
	})},
	{"fills a cache after the revoke that should have emptied it", "Concurrency/nothing undoes a revoke", breaking(func(b *broken) {
		var mu sync.Mutex
		cache := make(map[string]pat.Record)
		b.findByPrefix = func(ctx context.Context, prefix string) (pat.Record, error) {
			mu.Lock()
			rec, ok := cache[prefix]
			mu.Unlock()
			if ok {
				return rec, nil
			}
			rec, err := b.Store.FindByPrefix(ctx, prefix)
			pause()
			mu.Lock()
			defer mu.Unlock()
			cache[prefix] = rec
			return rec, err
		}
		b.touch = func(ctx context.Context, uses []pat.Use) error {
			_, _ = b.FindByPrefix(ctx, uses[0].Prefix)
			return b.Store.Touch(ctx, uses)
		}
	})},
	{"fails where another writes", "Concurrency/many writers and readers", breaking(func(b *broken) {
		var mu sync.Mutex
		b.revoke = func(ctx context.Context, id string, at time.Time) (pat.Token, bool, error) {
			if !mu.TryLock() {
				return pat.Token{}, false, errors.New("database is locked")
			}
			defer mu.Unlock()
			pause()
			return b.Store.Revoke(ctx, id, at)
		}
	})},
}

func revokingOwner(mistake func(pat.Owner) pat.Owner) func() pat.Store {
	return breaking(func(b *broken) {
		b.revokeAll = func(ctx context.Context, owner pat.Owner, at time.Time) ([]pat.Token, error) {
			return b.Store.RevokeAll(ctx, mistake(owner), at)
		}
	})
}

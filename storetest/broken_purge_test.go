package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/patkit/pat"
)

var brokenPurges = []breakage{
	{"deletes nothing", "Purge/deletes what ended before", breaking(func(b *broken) {
		b.purge = func(context.Context, time.Time, int) (int, error) { return 0, nil }
	})},
	{"goes on finding by id", "Purge/deletes what ended before", breaking(func(b *broken) {
		b.findByID = func(ctx context.Context, id string) (pat.Token, error) {
			tok, err := b.Store.FindByID(ctx, id)
			if errors.Is(err, pat.ErrNotFound) {
				return pat.Token{ID: id}, nil
			}
			return tok, err
		}
	})},
	{"deletes what ended at the time", "Purge/keeps the rest", breaking(func(b *broken) {
		b.purge = func(ctx context.Context, before time.Time, limit int) (int, error) {
			return b.Store.Purge(ctx, before.Add(time.Microsecond), limit)
		}
	})},
	{"deletes the living", "Purge/keeps the rest", breaking(func(b *broken) {
		b.purge = func(ctx context.Context, before time.Time, limit int) (int, error) {
			return b.Store.Purge(ctx, before.AddDate(100, 0, 0), limit)
		}
	})},
	{"ignores the limit", "Purge/at most limit", breaking(func(b *broken) {
		b.purge = func(ctx context.Context, before time.Time, limit int) (int, error) {
			return b.Store.Purge(ctx, before, limit+1)
		}
	})},
	{"stops early", "Purge/step by step in a large store", breaking(func(b *broken) {
		calls := 0
		b.purge = func(ctx context.Context, before time.Time, limit int) (int, error) {
			if calls++; calls == 5 {
				limit /= 2
			}
			return b.Store.Purge(ctx, before, limit)
		}
	})},
	{"keeps what others name", "Purge/leaves the rest of a lineage", breaking(func(b *broken) {
		b.purge = func(ctx context.Context, before time.Time, limit int) (int, error) {
			return 0, errors.New("foreign key constraint failed")
		}
	})},
	{"fails in an empty store", "Purge/an empty store", breaking(func(b *broken) {
		b.purge = func(ctx context.Context, before time.Time, limit int) (int, error) {
			n, err := b.Store.Purge(ctx, before, limit)
			if n == 0 {
				err = pat.ErrNotFound
			}
			return n, err
		}
	})},
	{"refuses an owner who once had tokens", "Purge/a store can be filled again", breaking(func(b *broken) {
		emptied := false
		b.purge = func(ctx context.Context, before time.Time, limit int) (int, error) {
			emptied = true
			return b.Store.Purge(ctx, before, limit)
		}
		b.insert = func(ctx context.Context, rec pat.Record, limit int) error {
			if emptied {
				return errors.New("owner was deleted")
			}
			return b.Store.Insert(ctx, rec, limit)
		}
	})},
}

// brokenContexts has, for each method, a store that passes over the context there, and two that say the wrong thing.
func brokenContexts() []breakage {
	ignoring := []breakage{
		{"ignores it", "Context/Insert", breaking(func(b *broken) {
			b.insert = func(_ context.Context, rec pat.Record, limit int) error { return b.Store.Insert(ctx, rec, limit) }
		})},
		{"fails, but only after it wrote", "Context/Insert", breaking(func(b *broken) {
			b.insert = func(done context.Context, rec pat.Record, limit int) error {
				return errors.Join(b.Store.Insert(ctx, rec, limit), done.Err())
			}
		})},
		{"ignores it", "Context/FindByPrefix", breaking(func(b *broken) {
			b.findByPrefix = func(_ context.Context, prefix string) (pat.Record, error) { return b.Store.FindByPrefix(ctx, prefix) }
		})},
		{"takes a fault for absence", "Context/FindByPrefix of an absent prefix", breaking(func(b *broken) {
			b.findByPrefix = func(ctx context.Context, prefix string) (pat.Record, error) {
				rec, err := b.Store.FindByPrefix(ctx, prefix)
				if err != nil {
					err = pat.ErrNotFound
				}
				return rec, err
			}
		})},
		{"ignores it", "Context/FindByID", breaking(func(b *broken) {
			b.findByID = func(_ context.Context, id string) (pat.Token, error) { return b.Store.FindByID(ctx, id) }
		})},
		{"takes a fault for absence", "Context/FindByID of an absent id", breaking(func(b *broken) {
			b.findByID = func(done context.Context, id string) (pat.Token, error) {
				tok, err := b.Store.FindByID(ctx, id)
				return tok, errors.Join(err, done.Err())
			}
		})},
		{"ignores it", "Context/List", breaking(func(b *broken) {
			b.list = func(_ context.Context, query pat.ListQuery) ([]pat.Token, error) { return b.Store.List(ctx, query) }
		})},
		{"ignores it", "Context/Rotate", breaking(func(b *broken) {
			b.rotate = func(_ context.Context, rotation pat.Rotation) error { return b.Store.Rotate(ctx, rotation) }
		})},
		{"ignores it", "Context/Revoke", breaking(func(b *broken) {
			b.revoke = func(_ context.Context, id string, at time.Time) (pat.Token, bool, error) {
				return b.Store.Revoke(ctx, id, at)
			}
		})},
		{"ignores it", "Context/RevokeAll", breaking(func(b *broken) {
			b.revokeAll = func(_ context.Context, owner pat.Owner, at time.Time) ([]pat.Token, error) {
				return b.Store.RevokeAll(ctx, owner, at)
			}
		})},
		{"ignores it", "Context/Touch", breaking(func(b *broken) {
			b.touch = func(_ context.Context, uses []pat.Use) error { return b.Store.Touch(ctx, uses) }
		})},
		{"ignores it", "Context/ReplaceDigest", breaking(func(b *broken) {
			b.replaceDigest = func(_ context.Context, prefix string, old, next pat.Digest) (bool, error) {
				return b.Store.ReplaceDigest(ctx, prefix, old, next)
			}
		})},
		{"ignores it", "Context/Purge", breaking(func(b *broken) {
			b.purge = func(_ context.Context, before time.Time, limit int) (int, error) {
				return b.Store.Purge(ctx, before, limit)
			}
		})},
	}
	for i := range ignoring {
		ignoring[i].name = ignoring[i].caught + " " + ignoring[i].name
	}
	return ignoring
}

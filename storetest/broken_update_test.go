package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/patkit/pat"
)

var brokenUpdates = []breakage{
	{"takes being used for a change", "Touch/sets LastUsedAt and nothing else", touching(func(r *pat.Record, at time.Time) {
		r.Token.LastUsedAt, r.Token.UpdatedAt = at, at
	})},
	{"forgets the use", "Touch/sets LastUsedAt and nothing else", touching(func(*pat.Record, time.Time) {})},
	{"goes backwards", "Touch/only forward", touching(func(r *pat.Record, at time.Time) { r.Token.LastUsedAt = at })},
	{"compares seconds", "Touch/only forward", touching(func(r *pat.Record, at time.Time) {
		if at.Unix() > r.Token.LastUsedAt.Unix() {
			r.Token.LastUsedAt = at
		}
	})},
	{"passes over a use at no time", "Touch/without a time", breaking(func(b *broken) {
		b.touch = func(ctx context.Context, uses []pat.Use) error {
			return b.Store.Touch(ctx, slices.DeleteFunc(slices.Clone(uses), func(u pat.Use) bool { return u.At.IsZero() }))
		}
	})},
	{"un-revokes", "Touch/never un-revokes", touching(func(r *pat.Record, at time.Time) {
		r.Token.LastUsedAt, r.Token.RevokedAt = at, time.Time{}
	})},
	{"gives up at an absent prefix", "Touch/absent prefixes are passed over", breaking(func(b *broken) {
		b.touch = func(ctx context.Context, uses []pat.Use) error {
			for _, use := range uses {
				if _, err := b.Store.FindByPrefix(ctx, use.Prefix); err != nil {
					return nil
				}
				if err := b.Store.Touch(ctx, []pat.Use{use}); err != nil {
					return err
				}
			}
			return nil
		}
	})},
	{"fails without uses", "Touch/an empty batch", breaking(func(b *broken) {
		b.touch = func(ctx context.Context, uses []pat.Use) error {
			if len(uses) == 0 {
				return errors.New("syntax error near VALUES")
			}
			return b.Store.Touch(ctx, uses)
		}
	})},
	{"takes the first of a batch", "Touch/a prefix twice in a batch", breaking(func(b *broken) {
		b.touch = func(ctx context.Context, uses []pat.Use) error { return b.Store.Touch(ctx, uses[:1]) }
	})},
	{"has too many parameters", "Touch/a large batch", breaking(func(b *broken) {
		b.touch = func(ctx context.Context, uses []pat.Use) error {
			if len(uses) > 999 {
				return errors.New("too many SQL variables")
			}
			return b.Store.Touch(ctx, uses)
		}
	})},
	{"looks and writes in two steps", "Touch/many at once", breaking(func(b *broken) {
		b.touch = func(ctx context.Context, uses []pat.Use) error {
			for _, use := range uses {
				rec, err := b.FindByPrefix(ctx, use.Prefix)
				if err != nil || !use.At.After(rec.Token.LastUsedAt) {
					continue
				}
				pause()
				rec.Token.LastUsedAt = use.At
				b.save(rec)
			}
			return nil
		}
	})},
	{"keeps the batch", "Aliasing/what Touch was given is the caller's", breaking(func(b *broken) {
		var pending []pat.Use
		b.touch = func(_ context.Context, uses []pat.Use) error {
			pending = uses
			return nil
		}
		b.findByPrefix = func(ctx context.Context, prefix string) (pat.Record, error) {
			if err := b.Store.Touch(ctx, pending); err != nil {
				return pat.Record{}, err
			}
			return b.Store.FindByPrefix(ctx, prefix)
		}
	})},

	{"takes a new digest for a change", "ReplaceDigest/sets the digest and nothing else", breaking(func(b *broken) {
		b.replaceDigest = func(ctx context.Context, prefix string, old, next pat.Digest) (bool, error) {
			replaced, err := b.Store.ReplaceDigest(ctx, prefix, old, next)
			b.update(prefix, func(r *pat.Record) { r.Token.UpdatedAt = later(3) })
			return replaced, err
		}
	})},
	{"ignores the old digest", "ReplaceDigest/only the old one is replaced", replacing(func(r pat.Record, _ pat.Digest) bool { return !r.Token.Revoked() })},
	{"compares digests up to a zero byte", "ReplaceDigest/only the old one is replaced", replacing(func(r pat.Record, old pat.Digest) bool {
		stored, _, _ := strings.Cut(r.Digest.Encoded(), "\x00")
		head, _, _ := strings.Cut(old.Encoded(), "\x00")
		return !r.Token.Revoked() && stored == head
	})},
	{"replaces a second time", "ReplaceDigest/a second time", replacing(func(pat.Record, pat.Digest) bool { return true })},
	{"replaces that of a revoked token", "ReplaceDigest/a revoked token", replacing(func(r pat.Record, old pat.Digest) bool { return r.Digest == old })},
	{"says true for an absent token", "ReplaceDigest/an absent token", breaking(func(b *broken) {
		b.replaceDigest = func(ctx context.Context, prefix string, old, next pat.Digest) (bool, error) {
			_, err := b.Store.ReplaceDigest(ctx, prefix, old, next)
			return err == nil, err
		}
	})},
	{"takes an absent token for an error", "ReplaceDigest/an absent token", breaking(func(b *broken) {
		b.replaceDigest = func(ctx context.Context, prefix string, old, next pat.Digest) (bool, error) {
			if _, err := b.Store.FindByPrefix(ctx, prefix); err != nil {
				return false, err
			}
			return b.Store.ReplaceDigest(ctx, prefix, old, next)
		}
	})},
	{"compares and replaces in two steps", "ReplaceDigest/of many at once, one wins", breaking(func(b *broken) {
		b.replaceDigest = func(ctx context.Context, prefix string, old, next pat.Digest) (bool, error) {
			rec, err := b.FindByPrefix(ctx, prefix)
			if err != nil || rec.Digest != old {
				return false, err
			}
			pause()
			rec.Digest = next
			b.save(rec)
			return true, nil
		}
	})},
}

// touching opens a store whose Touch changes a record in its own way.
func touching(change func(r *pat.Record, at time.Time)) func() pat.Store {
	return breaking(func(b *broken) {
		b.touch = func(_ context.Context, uses []pat.Use) error {
			for _, use := range uses {
				b.update(use.Prefix, func(r *pat.Record) { change(r, use.At) })
			}
			return nil
		}
	})
}

// replacing opens a store whose ReplaceDigest replaces the digest wherever may says so.
func replacing(may func(rec pat.Record, old pat.Digest) bool) func() pat.Store {
	return breaking(func(b *broken) {
		b.replaceDigest = func(ctx context.Context, prefix string, old, next pat.Digest) (bool, error) {
			rec, err := b.FindByPrefix(ctx, prefix)
			if err != nil || !may(rec, old) {
				return false, nil
			}
			rec.Digest = next
			b.save(rec)
			return true, nil
		}
	})
}

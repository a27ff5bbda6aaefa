package storetest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/patkit/pat"
)

var brokenInserts = []breakage{
	{"forgets the last use", "Insert/every field comes back", rewriting(func(r *pat.Record) { r.Token.LastUsedAt = time.Time{} })},
	{"forgets the lineage", "Insert/every field comes back", rewriting(func(r *pat.Record) { r.Token.RotatedFrom = "" })},
	{"cuts times to seconds", "Insert/times are exact to the microsecond", rewriting(func(r *pat.Record) {
		r.Token.CreatedAt = r.Token.CreatedAt.Truncate(time.Second)
	})},
	{"returns local times", "Insert/times are exact to the microsecond", reading(func(r *pat.Record) {
		r.Token.CreatedAt = r.Token.CreatedAt.In(time.FixedZone("CET", 3600))
	})},
	{"returns 1970 for no time", "Insert/what is not set comes back as not set", reading(func(r *pat.Record) {
		if r.Token.ExpiresAt.IsZero() {
			r.Token.ExpiresAt = time.Unix(0, 0).UTC()
		}
	})},
	{"trims names", "Insert/text comes back as it was", rewriting(func(r *pat.Record) { r.Token.Name = strings.TrimSpace(r.Token.Name) })},
	{"cuts names at 255 bytes", "Insert/the longest texts fit", rewriting(func(r *pat.Record) {
		r.Token.Name = r.Token.Name[:min(255, len(r.Token.Name))]
	})},
	{"ends a digest at a zero byte", "Insert/digests are bytes", rewriting(func(r *pat.Record) {
		if head, _, found := strings.Cut(r.Digest.Encoded(), "\x00"); found {
			r.Digest = parsedDigest(head + "-")
		}
	})},
	{"says nothing of a taken id", "Insert/a taken id is refused", notMindingExisting},
	{"says nothing of a taken prefix", "Insert/a taken prefix is refused", notMindingExisting},
	{"overwrites a taken id", "Insert/a taken id is refused", breaking(func(b *broken) {
		b.insert = func(ctx context.Context, rec pat.Record, limit int) error {
			err := b.Store.Insert(ctx, rec, limit)
			if errors.Is(err, pat.ErrExists) {
				b.save(rec)
			}
			return err
		}
	})},
	{"takes prefixes without case as equal", "Insert/prefixes that differ in case are different", rewriting(lowerPrefix)},
	{"refuses a repeated call", "Insert/a repeated call succeeds and changes nothing", refusingRepetition},
	{"repeats by writing again", "Insert/a repeated call succeeds and changes nothing", breaking(func(b *broken) {
		b.insert = func(ctx context.Context, rec pat.Record, limit int) error {
			err := b.Store.Insert(ctx, rec, limit)
			if err == nil {
				b.save(rec)
			}
			return err
		}
	})},
	{"refuses a repeated call at the same time", "Insert/many repetitions at once all succeed", refusingRepetition},
	{"counts first", "Limit/a taken id or prefix counts more", breaking(func(b *broken) {
		b.insert = func(ctx context.Context, rec pat.Record, limit int) error {
			if tokens, err := b.Store.List(ctx, pat.ListQuery{Owner: pat.Owner{GroupID: rec.Token.GroupID}, Limit: 100}); err != nil ||
				limit > 0 && len(tokens) >= limit {
				return pat.ErrLimitReached
			}
			return b.Store.Insert(ctx, rec, limit)
		}
	})},
	{"takes an equal id for a repeated call", "Insert/a record that shares only a part is no repetition", breaking(func(b *broken) {
		b.insert = func(ctx context.Context, rec pat.Record, limit int) error {
			if _, err := b.Store.FindByID(ctx, rec.Token.ID); err == nil {
				return nil
			}
			return b.Store.Insert(ctx, rec, limit)
		}
	})},
	{"lets several have one id", "Insert/of many at once with one id, one wins", breaking(func(b *broken) {
		b.insert = func(ctx context.Context, rec pat.Record, limit int) error {
			_, err := b.Store.FindByID(ctx, rec.Token.ID)
			_, err2 := b.Store.FindByPrefix(ctx, rec.Token.Prefix)
			pause()
			if err == nil || err2 == nil {
				return pat.ErrExists
			}
			if err := b.Store.Insert(ctx, rec, limit); !errors.Is(err, pat.ErrExists) {
				return err
			}
			b.save(rec)
			return nil
		}
	})},

	{"has a limit off by one", "Limit/a full group is refused", breaking(func(b *broken) {
		b.insert = func(ctx context.Context, rec pat.Record, limit int) error {
			if limit > 0 {
				limit++
			}
			return b.Store.Insert(ctx, rec, limit)
		}
	})},
	{"adds before it looks at the limit", "Limit/a full group is refused", breaking(func(b *broken) {
		b.insert = func(ctx context.Context, rec pat.Record, limit int) error {
			err := b.Store.Insert(ctx, rec, limit)
			if errors.Is(err, pat.ErrLimitReached) {
				_ = b.Store.Insert(ctx, rec, 0)
			}
			return err
		}
	})},
	{"has a limit of its own", "Limit/zero is no limit", breaking(func(b *broken) {
		b.insert = func(ctx context.Context, rec pat.Record, limit int) error {
			if limit == 0 {
				limit = 10
			}
			return b.Store.Insert(ctx, rec, limit)
		}
	})},
	{"counts revoked tokens", "Limit/revoked tokens are not counted",
		counting(func(r, t pat.Token) bool { return t.GroupID == r.GroupID && t.RotatedTo == "" })},
	{"counts tokens revoked all at once", "Limit/tokens revoked all at once are not counted",
		counting(func(r, t pat.Token) bool { return t.GroupID == r.GroupID && t.RotatedTo == "" })},
	{"counts rotated tokens for ever", "Limit/rotated tokens are counted until they expire",
		counting(func(r, t pat.Token) bool { return t.GroupID == r.GroupID && !t.Revoked() })},
	{"leaves rotated tokens out", "Limit/rotated tokens are counted until they expire",
		counting(func(r, t pat.Token) bool { return t.GroupID == r.GroupID && !t.Revoked() && t.RotatedTo == "" })},
	{"leaves rotated tokens out", "Limit/rotated tokens are counted whatever becomes of their successor",
		counting(func(r, t pat.Token) bool { return t.GroupID == r.GroupID && !t.Revoked() && t.RotatedTo == "" })},
	{"counts rotated tokens that are revoked", "Limit/rotated tokens that are revoked are not counted",
		counting(func(r, t pat.Token) bool {
			return t.GroupID == r.GroupID && (!t.Revoked() || t.RotatedTo != "" && !t.Expired(r.CreatedAt))
		})},
	{"counts rotated tokens that are purged", "Limit/rotated tokens that are purged are not counted",
		breaking(func(b *broken) { b.purge = func(context.Context, time.Time, int) (int, error) { return 1, nil } })},
	{"counts tokens rotated at once", "Limit/tokens rotated at once are not counted",
		counting(func(r, t pat.Token) bool { return t.GroupID == r.GroupID })},
	{"leaves expired tokens out", "Limit/expired tokens are counted", counting(func(r, t pat.Token) bool {
		return t.GroupID == r.GroupID && !t.Expired(r.CreatedAt)
	})},
	{"counts purged tokens", "Limit/purged tokens are not counted", breaking(func(b *broken) {
		added := 0
		b.insert = func(ctx context.Context, rec pat.Record, limit int) error {
			if limit > 0 && added-1 >= limit { // one was revoked
				return pat.ErrLimitReached
			}
			added++
			return b.Store.Insert(ctx, rec, limit)
		}
	})},
	{"counts only the user's own", "Limit/only the group's own tokens are counted", counting(func(r, t pat.Token) bool {
		return t.GroupID == r.GroupID && t.UserID == r.UserID
	})},
	{"counts groups without case as equal", "Limit/only the group's own tokens are counted", counting(func(r, t pat.Token) bool {
		return strings.EqualFold(t.GroupID, r.GroupID)
	})},
	{"counts refused records", "Limit/a refused record takes no place", breaking(func(b *broken) {
		calls := 0
		b.insert = func(ctx context.Context, rec pat.Record, limit int) error {
			if limit > 0 && calls >= limit {
				return pat.ErrLimitReached
			}
			calls++
			return b.Store.Insert(ctx, rec, limit)
		}
	})},
	{"looks at the limit before it knows a repetition", "Limit/a repeated call succeeds in a full group",
		counting(func(r, t pat.Token) bool { return t.GroupID == r.GroupID })},
	{"counts and adds in two steps", "Limit/of many at once, one gets the last place", breaking(func(b *broken) {
		b.insert = func(ctx context.Context, rec pat.Record, limit int) error {
			tokens, err := b.Store.List(ctx, pat.ListQuery{Owner: pat.Owner{GroupID: rec.Token.GroupID}, Limit: 1000})
			if err != nil {
				return err
			}
			pause()
			if limit > 0 && len(tokens) >= limit {
				return pat.ErrLimitReached
			}
			return b.Store.Insert(ctx, rec, 0)
		}
	})},
}

var notMindingExisting = breaking(func(b *broken) {
	b.insert = func(ctx context.Context, rec pat.Record, limit int) error {
		if err := b.Store.Insert(ctx, rec, limit); !errors.Is(err, pat.ErrExists) {
			return err
		}
		return nil
	}
})

var refusingRepetition = breaking(func(b *broken) {
	var mu sync.Mutex
	b.insert = func(ctx context.Context, rec pat.Record, limit int) error {
		mu.Lock()
		defer mu.Unlock()
		if _, err := b.Store.FindByID(ctx, rec.Token.ID); err == nil {
			return pat.ErrExists
		}
		return b.Store.Insert(ctx, rec, limit)
	}
})

func lowerPrefix(r *pat.Record) { r.Token.Prefix = strings.ToLower(r.Token.Prefix) }

// counting opens a store that counts, for the limit on a new token r, the tokens t for which counts is true.
func counting(counts func(r, t pat.Token) bool) func() pat.Store {
	return breaking(func(b *broken) {
		var ids []string
		b.insert = func(ctx context.Context, rec pat.Record, limit int) error {
			n := 0
			for _, id := range ids {
				if t, err := b.Store.FindByID(ctx, id); err == nil && counts(rec.Token, t) {
					n++
				}
			}
			if limit > 0 && n >= limit {
				return pat.ErrLimitReached
			}
			ids = append(ids, rec.Token.ID)
			return b.Store.Insert(ctx, rec, 0)
		}
		b.rotate = func(ctx context.Context, rotation pat.Rotation) error {
			ids = append(ids, rotation.New.Token.ID)
			return b.Store.Rotate(ctx, rotation)
		}
	})
}

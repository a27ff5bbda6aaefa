package storetest

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/patkit/pat"
)

var brokenRotations = []breakage{
	{"leaves the old token living", "Rotate/at once", afterRotate(func(old *pat.Token, _ pat.Rotation) { old.RevokedAt = time.Time{} })},
	{"forgets UpdatedAt", "Rotate/at once", afterRotate(func(old *pat.Token, _ pat.Rotation) { old.UpdatedAt = old.CreatedAt })},
	{"revokes in spite of a grace period", "Rotate/with a grace period", afterRotate(func(old *pat.Token, r pat.Rotation) { old.RevokedAt = r.At })},
	{"prolongs the old token", "Rotate/never prolongs the old token", afterRotate(func(old *pat.Token, r pat.Rotation) { old.ExpiresAt = r.End })},
	{"lets a token without expiry go on", "Rotate/a token without expiry gets an end",
		afterRotate(func(old *pat.Token, _ pat.Rotation) { old.ExpiresAt = time.Time{} })},
	{"forgets the lineage", "Rotate/goes on with the successor", afterRotate(func(old *pat.Token, _ pat.Rotation) { old.RotatedTo = "" })},
	{"refuses a repeated call", "Rotate/a repeated call succeeds and changes nothing", breaking(func(b *broken) {
		b.rotate = func(ctx context.Context, rotation pat.Rotation) error {
			if _, err := b.Store.FindByID(ctx, rotation.New.Token.ID); err == nil {
				return pat.ErrExists
			}
			return b.Store.Rotate(ctx, rotation)
		}
	})},
	{"lets several win", "Rotate/of many at once, one wins", breaking(func(b *broken) {
		b.rotate = func(ctx context.Context, rotation pat.Rotation) error {
			err := b.Store.Rotate(ctx, rotation)
			if errors.Is(err, pat.ErrRotated) || errors.Is(err, pat.ErrRevoked) {
				return b.Store.Insert(ctx, rotation.New, 0)
			}
			return err
		}
	})},
	{"adds the new token of those who lose", "Rotate/of many at once, one wins", addingDespite(pat.ErrRotated)},
	{"adds the successor of an absent token", "Rotate/an absent token", addingDespite(pat.ErrNotFound)},
	{"rotates by an id in upper case", "Rotate/what is no id", breaking(func(b *broken) {
		b.rotate = func(ctx context.Context, rotation pat.Rotation) error {
			rotation.OldID = strings.ToLower(rotation.OldID)
			return b.Store.Rotate(ctx, rotation)
		}
	})},
	{"rotates at no time", "Rotate/without a time", breaking(func(b *broken) {
		b.rotate = func(ctx context.Context, rotation pat.Rotation) error {
			if rotation.At.IsZero() {
				return b.Store.Insert(ctx, rotation.New, 0)
			}
			return b.Store.Rotate(ctx, rotation)
		}
	})},
	{"takes any token that is there for a repetition", "Rotate/to a token that is there for another reason", breaking(func(b *broken) {
		b.rotate = func(ctx context.Context, rotation pat.Rotation) error {
			if rec, err := b.Store.FindByPrefix(ctx, rotation.New.Token.Prefix); err == nil && rec.Digest == rotation.New.Digest {
				return nil
			}
			return b.Store.Rotate(ctx, rotation)
		}
	})},
	{"adds the successor of a revoked token", "Rotate/a revoked token", addingDespite(pat.ErrRevoked)},
	{"looks at the expiry before the revocation", "Rotate/a revoked token", breaking(func(b *broken) {
		b.rotate = func(ctx context.Context, rotation pat.Rotation) error {
			if old, err := b.Store.FindByID(ctx, rotation.OldID); err == nil && old.Expired(rotation.At) {
				return pat.ErrExpired
			}
			return b.Store.Rotate(ctx, rotation)
		}
	})},
	{"revives an expired token", "Rotate/an expired token", breaking(func(b *broken) {
		b.rotate = func(ctx context.Context, rotation pat.Rotation) error {
			err := b.Store.Rotate(ctx, rotation)
			if errors.Is(err, pat.ErrExpired) {
				return b.Store.Insert(ctx, rotation.New, 0)
			}
			return err
		}
	})},
	{"takes the very moment of expiry for living", "Rotate/an expired token", breaking(func(b *broken) {
		b.rotate = func(ctx context.Context, rotation pat.Rotation) error {
			if old, err := b.Store.FindByID(ctx, rotation.OldID); err == nil && old.ExpiresAt.Equal(rotation.At) {
				rotation.At = rotation.At.Add(-time.Microsecond)
			}
			return b.Store.Rotate(ctx, rotation)
		}
	})},
	{"rotates a rotated token again", "Rotate/a rotated token", breaking(func(b *broken) {
		b.rotate = func(ctx context.Context, rotation pat.Rotation) error {
			err := b.Store.Rotate(ctx, rotation)
			if errors.Is(err, pat.ErrRotated) {
				return b.Store.Insert(ctx, rotation.New, 0)
			}
			return err
		}
	})},
	{"ends the old token before it fails", "Rotate/to a taken id or prefix", breaking(func(b *broken) {
		b.rotate = func(ctx context.Context, rotation pat.Rotation) error {
			err := b.Store.Rotate(ctx, rotation)
			if errors.Is(err, pat.ErrExists) {
				_, _, _ = b.Store.Revoke(ctx, rotation.OldID, rotation.At)
			}
			return err
		}
	})},
	{"ends the old token first and adds the new one then", "Concurrency/a rotation is seen whole", breaking(func(b *broken) {
		b.rotate = func(ctx context.Context, rotation pat.Rotation) error {
			old, err := b.Store.FindByID(ctx, rotation.OldID)
			if err != nil {
				return err
			}
			b.update(old.Prefix, func(r *pat.Record) { endOld(&r.Token, rotation) })
			pause()
			return b.Store.Rotate(ctx, rotation)
		}
	})},
	{"ends the old token in two steps", "Concurrency/a rotation is seen whole", breaking(func(b *broken) {
		b.rotate = func(ctx context.Context, rotation pat.Rotation) error {
			b.updateByID(rotation.OldID, func(r *pat.Record) { r.Token.RotatedTo = rotation.New.Token.ID })
			pause()
			b.updateByID(rotation.OldID, func(r *pat.Record) { endOld(&r.Token, rotation) })
			return b.Store.Rotate(ctx, rotation)
		}
	})},
}

// endOld does what Rotate does to the old token.
func endOld(old *pat.Token, rotation pat.Rotation) {
	old.RotatedTo, old.UpdatedAt = rotation.New.Token.ID, rotation.At
	if rotation.End.After(rotation.At) {
		old.ExpiresAt = rotation.End
	} else {
		old.RevokedAt = rotation.At
	}
}

// afterRotate opens a store that spoils the old token of each rotation.
func afterRotate(spoil func(old *pat.Token, rotation pat.Rotation)) func() pat.Store {
	return breaking(func(b *broken) {
		b.rotate = func(ctx context.Context, rotation pat.Rotation) error {
			err := b.Store.Rotate(ctx, rotation)
			b.updateByID(rotation.OldID, func(r *pat.Record) { spoil(&r.Token, rotation) })
			return err
		}
	})
}

// addingDespite opens a store that adds the new token although the rotation failed.
func addingDespite(refusal error) func() pat.Store {
	return breaking(func(b *broken) {
		b.rotate = func(ctx context.Context, rotation pat.Rotation) error {
			err := b.Store.Rotate(ctx, rotation)
			if errors.Is(err, refusal) {
				_ = b.Store.Insert(ctx, rotation.New, 0)
			}
			return err
		}
	})
}

package storetest

import (
	"errors"
	"time"

	"github.com/patkit/pat"
)

var rotateCases = []testCase{
	{
		name: "Rotate/at once",
		rule: "If End is not after At, Rotate adds the new token and sets the old one's RevokedAt and UpdatedAt to At and its RotatedTo to " +
			"the new id. Nothing else of the old one changes.",
		run: func(h *harness) {
			for _, end := range []time.Time{later(1), later(0), {}} {
				old := h.added()
				next := h.rotate(old, end)
				old.Token.RevokedAt, old.Token.UpdatedAt, old.Token.RotatedTo = later(1), later(1), next.Token.ID
				h.holds(old)
				h.holds(next)
			}
		},
	},
	{
		name: "Rotate/with a grace period",
		rule: "If End is after At, the old token stays unrevoked and its ExpiresAt becomes End.",
		run: func(h *harness) {
			for _, end := range []time.Time{later(1).Add(time.Microsecond), later(10)} {
				old := h.added()
				next := h.rotate(old, end)
				old.Token.ExpiresAt, old.Token.UpdatedAt, old.Token.RotatedTo = end, later(1), next.Token.ID
				h.holds(old)
				h.holds(next)
			}
		},
	},
	{
		name: "Rotate/never prolongs the old token",
		rule: "A grace period that reaches beyond the old token's ExpiresAt leaves that as it is.",
		run: func(h *harness) {
			for _, end := range []time.Time{later(100), later(100).Add(time.Microsecond), later(10_000)} {
				old := h.added(expiringAt(later(100)))
				next := h.rotate(old, end)
				old.Token.UpdatedAt, old.Token.RotatedTo = later(1), next.Token.ID
				h.holds(old)
			}
		},
	},
	{
		name: "Rotate/a token without expiry gets an end",
		rule: "A token that never expired has End as its ExpiresAt once it is rotated with a grace period.",
		run: func(h *harness) {
			old := h.added(expiringAt(time.Time{}))
			next := h.rotate(old, later(10))
			old.Token.ExpiresAt, old.Token.UpdatedAt, old.Token.RotatedTo = later(10), later(1), next.Token.ID
			h.holds(old)
		},
	},
	{
		name: "Rotate/goes on with the successor",
		rule: "A successor can be rotated in its turn. Each token names the one it replaced and the one that replaced it.",
		run: func(h *harness) {
			first, second := h.rotated()
			third := h.rotate(second, later(1))
			second = h.find(second.Token.Prefix)
			for _, link := range []struct{ got, want string }{
				{first.Token.RotatedFrom, ""},
				{first.Token.RotatedTo, second.Token.ID},
				{second.Token.RotatedFrom, first.Token.ID},
				{second.Token.RotatedTo, third.Token.ID},
				{h.find(third.Token.Prefix).Token.RotatedFrom, second.Token.ID},
			} {
				if link.got != link.want {
					h.failf("the lineage has %q, want %q", link.got, link.want)
				}
			}
		},
	},
	{
		name: "Rotate/a repeated call succeeds and changes nothing",
		rule: "Rotate with a new record that is there already, with the same id, prefix and digest, is the repetition of a call that succeeded: " +
			"it returns nil and changes nothing.",
		run: func(h *harness) {
			for _, end := range []time.Time{later(1), later(10)} {
				old := h.added()
				next := h.rotate(old, end)
				rotated := h.find(old.Token.Prefix)
				again := pat.Rotation{OldID: old.Token.ID, At: later(1), End: end, New: next}
				h.ok(h.store.Rotate(ctx, again), "Rotate, repeated")
				h.holds(rotated)
				h.holds(next)
				tok, _, err := h.store.Revoke(ctx, next.Token.ID, later(2))
				h.ok(err, "Revoke of the successor")
				h.ok(h.store.Rotate(ctx, again), "Rotate, repeated after its successor was revoked")
				h.holds(pat.Record{Token: tok, Digest: next.Digest})
			}
		},
	},
	{
		name: "Rotate/of many at once, one wins",
		rule: "Of several callers who rotate a token at once, one succeeds, and only its new token is there. The others get " +
			"ErrRevoked after a rotation without grace period, and ErrRotated after one with it.",
		run: func(h *harness) {
			for round := range 10 {
				end, refused := later(1), pat.ErrRevoked
				if round%2 == 1 {
					end, refused = later(10), pat.ErrRotated
				}
				old := h.added()
				next := make([]pat.Record, 8)
				for i := range next {
					next[i] = h.successor(old)
				}
				errs := together(len(next), func(i int) error {
					return h.store.Rotate(ctx, pat.Rotation{OldID: old.Token.ID, At: later(1), End: end, New: next[i]})
				})
				winner := h.onlyOne(errs, "Rotate", refused)
				for i := range next {
					if i == winner {
						h.holds(next[i])
					} else {
						h.lacks(next[i])
					}
				}
				if got := h.find(old.Token.Prefix).Token.RotatedTo; got != next[winner].Token.ID {
					h.failf("RotatedTo of the old token is %q, and the call that succeeded had %q", got, next[winner].Token.ID)
				}
			}
		},
	},
}

var rotateRefusedCases = []testCase{
	{
		name: "Rotate/an absent token",
		rule: "Rotate of an absent token is ErrNotFound and adds nothing.",
		run: func(h *harness) {
			h.refusesToRotate(h.record(), later(1), pat.ErrNotFound)
		},
	},
	{
		name: "Rotate/what is no id",
		rule: "Rotate of anything that was never given out as an id is ErrNotFound and no fault, and adds nothing. Ids are compared byte " +
			"for byte.",
		run: func(h *harness) {
			rec := h.added(withHexLetters)
			for _, id := range notIDs(rec) {
				next := h.record(createdAt(later(1)))
				h.fails(h.store.Rotate(ctx, pat.Rotation{OldID: id, At: later(1), End: later(1), New: next}), pat.ErrNotFound, "Rotate")
				h.lacks(next)
			}
			h.holds(rec)
		},
	},
	{
		name: "Rotate/without a time",
		rule: "Rotate with a zero At is an error that matches ErrInvalidArgument and changes nothing: the old token must not go on living " +
			"as if nothing had happened.",
		run: func(h *harness) {
			old := h.added()
			for _, end := range []time.Time{{}, later(10)} {
				next := h.successor(old)
				h.fails(h.store.Rotate(ctx, pat.Rotation{OldID: old.Token.ID, End: end, New: next}), pat.ErrInvalidArgument, "Rotate")
				h.lacks(next)
				h.holds(old)
			}
		},
	},
	{
		name: "Rotate/a revoked token",
		rule: "Rotate of a revoked token is ErrRevoked, also if it is expired and rotated too, and changes nothing.",
		run: func(h *harness) {
			h.refusesToRotate(h.revoked(), later(2), pat.ErrRevoked)
			h.refusesToRotate(h.revoked(expiringAt(later(2))), later(3), pat.ErrRevoked)
			old, _ := h.rotated()
			tok, _, err := h.store.Revoke(ctx, old.Token.ID, later(2))
			h.ok(err, "Revoke")
			old.Token = tok
			h.refusesToRotate(old, later(20), pat.ErrRevoked)
		},
	},
	{
		name: "Rotate/an expired token",
		rule: "Rotate of a token that is expired at At is ErrExpired, also if it is rotated too, and changes nothing: no token comes back " +
			"to life. It is expired from the very microsecond of ExpiresAt on.",
		run: func(h *harness) {
			h.refusesToRotate(h.added(expiringAt(later(2))), later(2), pat.ErrExpired)
			h.refusesToRotate(h.added(expiringAt(later(2))), later(3), pat.ErrExpired)
			old, _ := h.rotated() // with a grace period until 10
			h.refusesToRotate(old, later(10), pat.ErrExpired)
			living := h.added(expiringAt(later(1).Add(time.Microsecond)))
			h.rotate(living, later(1)) // the last moment
		},
	},
	{
		name: "Rotate/a rotated token",
		rule: "Rotate of a token that was rotated before, and is still in its grace period, is ErrRotated and changes nothing.",
		run: func(h *harness) {
			old, next := h.rotated()
			h.refusesToRotate(old, later(2), pat.ErrRotated)
			h.holds(next)
		},
	},
	{
		name: "Rotate/to a taken id or prefix",
		rule: "Rotate to an id or prefix that is taken is ErrExists, and leaves the old token as it was.",
		run: func(h *harness) {
			old := h.added()
			for _, taken := range []pat.Record{h.added(), h.revoked(), old} {
				sameID, samePrefix := h.successor(old), h.successor(old)
				sameID.Token.ID, samePrefix.Token.Prefix = taken.Token.ID, taken.Token.Prefix
				for _, next := range []pat.Record{sameID, samePrefix} {
					err := h.store.Rotate(ctx, pat.Rotation{OldID: old.Token.ID, At: later(1), End: later(1), New: next})
					h.fails(err, pat.ErrExists, "Rotate")
				}
				h.holds(taken)
				h.holds(old)
			}
		},
	},
	{
		name: "Rotate/to a token that is there for another reason",
		rule: "Rotate is the repetition of a call that succeeded only where the new token replaced this old one. If Insert added the very same " +
			"id, prefix and digest, or it replaced another token, Rotate is ErrExists and changes nothing.",
		run: func(h *harness) {
			old, inserted := h.added(), h.added()
			_, replacement := h.rotated()
			for _, there := range []pat.Record{inserted, replacement} {
				next := there
				next.Token.RotatedFrom = old.Token.ID
				for _, end := range []time.Time{later(1), later(10)} {
					err := h.store.Rotate(ctx, pat.Rotation{OldID: old.Token.ID, At: later(1), End: end, New: next})
					h.fails(err, pat.ErrExists, "Rotate")
				}
				h.holds(there)
				h.holds(old)
			}
		},
	},
}

// rotate rotates a token and returns its successor.
func (h *harness) rotate(old pat.Record, end time.Time) pat.Record {
	h.Helper()
	next := h.successor(old)
	h.ok(h.store.Rotate(ctx, pat.Rotation{OldID: old.Token.ID, At: later(1), End: end, New: next}), "Rotate")
	return next
}

// refusesToRotate checks that a rotation, with and without a grace period, fails and changes nothing.
func (h *harness) refusesToRotate(old pat.Record, at time.Time, want error) {
	h.Helper()
	for _, end := range []time.Time{at, at.Add(time.Hour)} {
		next := h.successor(old)
		h.fails(h.store.Rotate(ctx, pat.Rotation{OldID: old.Token.ID, At: at, End: end, New: next}), want, "Rotate")
		h.lacks(next)
		if errors.Is(want, pat.ErrNotFound) {
			h.lacks(old)
		} else {
			h.holds(old)
		}
	}
}

package storetest

import (
	"time"

	"github.com/patkit/pat"
)

var purgeCases = []testCase{
	{
		name: "Purge/deletes what ended before",
		rule: "Purge deletes tokens that were revoked before the given time or expired before it, and tells how many. Nothing finds them then.",
		run: func(h *harness) {
			before := later(3)
			ended := []pat.Record{
				h.revoked(expiringAt(time.Time{})),
				h.revoked(expiringAt(later(2))),
				h.added(expiringAt(before.Add(-time.Microsecond))),
				h.added(expiringAt(later(2)), func(r *pat.Record) { r.Token.RevokedAt = later(9) }),
				h.added(expiringAt(later(9)), func(r *pat.Record) { r.Token.RevokedAt = before.Add(-time.Microsecond) }),
			}
			h.purges(before, 100, len(ended))
			for _, rec := range ended {
				h.lacks(rec)
				_, _, err := h.store.Revoke(ctx, rec.Token.ID, later(4))
				h.fails(err, pat.ErrNotFound, "Revoke of a purged token")
				h.touch(rec, later(4))
				h.replaces(rec.Token.Prefix, rec.Digest, digest("next"), false)
				h.lacks(rec)
			}
		},
	},
	{
		name: "Purge/keeps the rest",
		rule: "Purge deletes no token that ended at the given time or later, nor one that has not ended: the bound is strict, and a zero time is no end.",
		run: func(h *harness) {
			before := later(3)
			rotated, next := h.rotated()
			kept := []pat.Record{
				h.added(), h.added(expiringAt(time.Time{})), h.added(expiringAt(before)), rotated, next,
				h.added(func(r *pat.Record) { r.Token.RevokedAt = before }),
				h.added(expiringAt(time.Time{}), func(r *pat.Record) { r.Token.RevokedAt = later(9) }),
				h.added(createdAt(later(-900)), expiringAt(later(900))),
			}
			h.purges(before, 100, 0)
			for _, rec := range kept {
				h.holds(rec)
			}
		},
	},
	{
		name: "Purge/at most limit",
		rule: "Purge deletes at most limit tokens. Fewer than limit means that none is left.",
		run: func(h *harness) {
			for i := range 10 {
				h.revoked(createdAt(later(-i)))
				h.added(createdAt(later(-i)))
			}
			h.purges(later(3), 4, 4)
			h.purges(later(3), 4, 4)
			h.purges(later(3), 4, 2)
			h.purges(later(3), 4, 0)
			h.onlyOwned(pat.Owner{GroupID: "group-1"}, 10)
		},
	},
	{
		name: "Purge/step by step in a large store",
		rule: "Calling Purge again until it deletes fewer than limit deletes all that ended, and no other.",
		run: func(h *harness) {
			var living []pat.Record
			for i := range 1500 {
				if i%3 == 0 {
					living = append(living, h.added())
				} else {
					h.added(expiringAt(later(1)))
				}
			}
			total, n := 0, 100
			for n == 100 && total < 1500 {
				var err error
				n, err = h.store.Purge(ctx, later(2), 100)
				h.ok(err, "Purge")
				total += n
			}
			if total != 1000 {
				h.failf("Purge deleted %d tokens, want 1000", total)
			}
			h.onlyOwned(pat.Owner{GroupID: "group-1"}, len(living))
			for _, rec := range living {
				h.sameRecord(h.find(rec.Token.Prefix), rec)
			}
		},
	},
	{
		name: "Purge/leaves the rest of a lineage",
		rule: "A token can be purged while the one it replaced, or the one that replaced it, is still there. These keep its id.",
		run: func(h *harness) {
			old := h.added()
			next := h.rotate(old, later(1)) // old is revoked, next lives
			first, second := h.rotated(expiringAt(time.Time{}))
			_, _, err := h.store.Revoke(ctx, second.Token.ID, later(2)) // first lives for its grace period
			h.ok(err, "Revoke")
			h.purges(later(3), 100, 2)
			h.lacks(old)
			h.holds(next)
			h.lacks(second)
			h.holds(first)
		},
	},
	{
		name: "Purge/an empty store",
		rule: "Purge of a store without tokens deletes none, without an error.",
		run: func(h *harness) {
			h.purges(later(3), 100, 0)
		},
	},
	{
		name: "Purge/a store can be filled again",
		rule: "After Purge has deleted all tokens of an owner, new ones are added, found and listed as before.",
		run: func(h *harness) {
			for range 5 {
				var records []pat.Record
				for range 40 {
					records = append(records, h.added(expiringAt(later(1))))
				}
				for _, rec := range records {
					h.holds(rec)
				}
				h.purges(later(2), 100, len(records))
				h.onlyOwned(pat.Owner{GroupID: "group-1"}, 0)
				h.onlyOwned(pat.Owner{UserID: "user-1"}, 0)
			}
		},
	},
}

func (h *harness) purges(before time.Time, limit, want int) {
	h.Helper()
	n, err := h.store.Purge(ctx, before, limit)
	h.ok(err, "Purge")
	if n != want {
		h.failf("Purge deleted %d tokens, want %d", n, want)
	}
}

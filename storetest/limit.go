package storetest

import "github.com/patkit/pat"

var limitCases = []testCase{
	{
		name: "Limit/a full group is refused",
		rule: "Insert returns ErrLimitReached where the group has limit tokens or more, and adds nothing.",
		run: func(h *harness) {
			for limit := 1; limit <= 3; limit++ {
				h.ok(h.store.Insert(ctx, h.record(), limit), "Insert below the limit")
				rec := h.record()
				h.fails(h.store.Insert(ctx, rec, limit), pat.ErrLimitReached, "Insert at the limit")
				h.lacks(rec)
			}
			h.fails(h.store.Insert(ctx, h.record(), 1), pat.ErrLimitReached, "Insert above the limit")
		},
	},
	{
		name: "Limit/zero is no limit",
		rule: "Insert with limit 0 does not look at the number of tokens.",
		run: func(h *harness) {
			for range 20 {
				h.ok(h.store.Insert(ctx, h.record(), 0), "Insert without a limit")
			}
		},
	},
	{
		name: "Limit/revoked tokens are not counted",
		rule: "The limit does not count revoked tokens, and each gives one place free, however often it is revoked.",
		run: func(h *harness) {
			h.added()
			rec := h.revoked()
			_, _, err := h.store.Revoke(ctx, rec.Token.ID, later(5))
			h.ok(err, "Revoke, repeated")
			h.insert(h.record(func(r *pat.Record) { r.Token.RevokedAt = later(1) })) // imported as revoked
			h.exactlyOneMore()
		},
	},
	{
		name: "Limit/tokens revoked all at once are not counted",
		rule: "The limit does not count tokens that RevokeAll revoked.",
		run: func(h *harness) {
			h.added(ownedBy("user-2", "group-1"))
			h.added()
			h.revoked()
			_, err := h.store.RevokeAll(ctx, pat.Owner{UserID: "user-1"}, later(1))
			h.ok(err, "RevokeAll")
			h.exactlyOneMore()
		},
	},
	{
		name: "Limit/rotated tokens are counted until they expire",
		rule: "The limit counts a rotated token beside its successor while it is in its grace period, by the CreatedAt of the new " +
			"token, and no longer once that has ended.",
		run: func(h *harness) {
			h.rotated() // with a grace period until 10
			h.fails(h.store.Insert(ctx, h.record(createdAt(later(9))), 2), pat.ErrLimitReached, "Insert during the grace period")
			h.ok(h.store.Insert(ctx, h.record(createdAt(later(10))), 2), "Insert once the grace period has ended")
			h.fails(h.store.Insert(ctx, h.record(createdAt(later(10))), 2), pat.ErrLimitReached, "Insert at the limit")
		},
	},
	{
		name: "Limit/rotated tokens are counted whatever becomes of their successor",
		rule: "The limit counts a rotated token in its grace period also where its successor was revoked. Otherwise rotating and " +
			"revoking by turns would keep any number of tokens alive.",
		run: func(h *harness) {
			_, next := h.rotated() // with a grace period until 10
			_, _, err := h.store.Revoke(ctx, next.Token.ID, later(2))
			h.ok(err, "Revoke of the successor")
			h.fails(h.store.Insert(ctx, h.record(createdAt(later(9))), 1), pat.ErrLimitReached, "Insert during the grace period")
			h.ok(h.store.Insert(ctx, h.record(createdAt(later(10))), 1), "Insert once the grace period has ended")
		},
	},
	{
		name: "Limit/rotated tokens that are revoked are not counted",
		rule: "The limit does not count a rotated token that was revoked in its grace period.",
		run: func(h *harness) {
			old, _ := h.rotated() // with a grace period until 10
			_, _, err := h.store.Revoke(ctx, old.Token.ID, later(2))
			h.ok(err, "Revoke of the rotated token")
			h.ok(h.store.Insert(ctx, h.record(createdAt(later(3))), 2), "Insert for the last place")
			h.fails(h.store.Insert(ctx, h.record(createdAt(later(3))), 2), pat.ErrLimitReached, "Insert at the limit")
		},
	},
	{
		name: "Limit/rotated tokens that are purged are not counted",
		rule: "A rotated token that was purged counts for nothing, also by a clock that went back into its grace period.",
		run: func(h *harness) {
			h.rotated() // with a grace period until 10
			n, err := h.store.Purge(ctx, later(11), 10)
			h.ok(err, "Purge")
			if n != 1 {
				h.failf("Purge deleted %d tokens, want 1", n)
			}
			h.ok(h.store.Insert(ctx, h.record(createdAt(later(9))), 2), "Insert for the last place")
			h.fails(h.store.Insert(ctx, h.record(createdAt(later(9))), 2), pat.ErrLimitReached, "Insert at the limit")
		},
	},
	{
		name: "Limit/tokens rotated at once are not counted",
		rule: "The limit counts a token that was rotated and revoked in one step no longer, and its successor once.",
		run: func(h *harness) {
			old := h.added()
			h.ok(h.store.Rotate(ctx, pat.Rotation{OldID: old.Token.ID, At: later(1), End: later(1), New: h.successor(old)}), "Rotate")
			h.exactlyOneMore()
		},
	},
	{
		name: "Limit/expired tokens are counted",
		rule: "The limit counts expired tokens that were not rotated: clients that count the rows of a list see them there.",
		run: func(h *harness) {
			h.added(createdAt(base.AddDate(-20, 0, 0)), expiringAt(base.AddDate(-19, 0, 0)))
			h.exactlyOneMore()
		},
	},
	{
		name: "Limit/purged tokens are not counted",
		rule: "A purged token gives free the place that it had, and none that it had given free before.",
		run: func(h *harness) {
			h.added()
			h.revoked()
			h.added(expiringAt(later(2)))
			n, err := h.store.Purge(ctx, later(50), 10)
			h.ok(err, "Purge")
			if n != 2 {
				h.failf("Purge deleted %d tokens, want 2", n)
			}
			h.exactlyOneMore()
		},
	},
	{
		name: "Limit/only the group's own tokens are counted",
		rule: "The limit counts the tokens of all users of the group, and none of another group, whatever its id resembles.",
		run: func(h *harness) {
			for _, group := range []string{"GROUP-1", "group-1 ", "group-10", "group-2", "group_1", "user-1", "1"} {
				h.added(ownedBy("user-1", group))
			}
			h.added(ownedBy("user-2", "group-1"))
			h.exactlyOneMore()
		},
	},
	{
		name: "Limit/a refused record takes no place",
		rule: "An Insert that failed counts for nothing.",
		run: func(h *harness) {
			rec := h.added()
			other := h.record()
			other.Token.ID = rec.Token.ID
			h.fails(h.store.Insert(ctx, other, 0), pat.ErrExists, "Insert with a taken id")
			h.ok(h.store.Insert(ctx, rec, 0), "Insert, repeated")
			h.exactlyOneMore()
		},
	},
	{
		name: "Limit/a repeated call succeeds in a full group",
		rule: "A repeated Insert returns nil also at the limit, which its first try may have been the one to reach.",
		run: func(h *harness) {
			rec := h.record()
			h.ok(h.store.Insert(ctx, rec, 1), "Insert below the limit")
			h.ok(h.store.Insert(ctx, rec, 1), "Insert, repeated at the limit")
			h.holds(rec)
		},
	},
	{
		name: "Limit/a taken id or prefix counts more",
		rule: "Insert returns ErrExists for a taken id or prefix in a full group too: more places would not help.",
		run: func(h *harness) {
			rec := h.added()
			sameID, samePrefix := h.record(), h.record(withPrefix(rec.Token.Prefix))
			sameID.Token.ID = rec.Token.ID
			h.fails(h.store.Insert(ctx, sameID, 1), pat.ErrExists, "Insert with a taken id at the limit")
			h.fails(h.store.Insert(ctx, samePrefix, 1), pat.ErrExists, "Insert with a taken prefix at the limit")
		},
	},
	{
		name: "Limit/of many at once, one gets the last place",
		rule: "Counting and adding are one step: of any number of callers at once, only as many succeed as there are places.",
		run: func(h *harness) {
			for round := range 20 {
				group := string(rune('a' + round))
				h.added(ownedBy("user-1", group))
				records := make([]pat.Record, 16)
				for i := range records {
					records[i] = h.record(ownedBy("user-1", group))
				}
				errs := together(len(records), func(i int) error { return h.store.Insert(ctx, records[i], 2) })
				h.holds(records[h.onlyOne(errs, "Insert", pat.ErrLimitReached)])
				if n := len(h.list(pat.Owner{GroupID: group})); n != 2 {
					h.fatalf("the group has %d tokens, and the limit is 2", n)
				}
			}
		},
	},
}

// exactlyOneMore checks that group-1 has one place left below a limit of two, by taking it.
func (h *harness) exactlyOneMore() {
	h.Helper()
	const limit = 2
	h.ok(h.store.Insert(ctx, h.record(), limit), "Insert for the last place")
	h.fails(h.store.Insert(ctx, h.record(), limit), pat.ErrLimitReached, "Insert at the limit")
}

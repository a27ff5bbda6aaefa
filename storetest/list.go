package storetest

import (
	"slices"

	"github.com/patkit/pat"
)

var listCases = []testCase{
	{
		name: "List/newest first",
		rule: "List returns the tokens by CreatedAt, newest first, whatever the order in which they were added.",
		run: func(h *harness) {
			var ids []string
			for _, hour := range []int{3, 1, 4, 0, 5, 2} {
				// Ids that run against the order of creation, so that a list in order of ids is seen.
				rec := h.record(createdAt(later(hour)))
				rec.Token.ID = numberedID(100 - hour)
				h.insert(rec)
				ids = append(ids, rec.Token.ID)
			}
			slices.Sort(ids)
			h.sameIDs(h.list(pat.Owner{GroupID: "group-1"}), ids, "List of a group")
			h.sameIDs(h.list(pat.Owner{UserID: "user-1"}), ids, "List of a user")
			h.sameIDs(h.list(pat.Owner{UserID: "user-1", GroupID: "group-1"}), ids, "List of a user in a group")
		},
	},
	{
		name: "List/tokens of the same microsecond are ordered by id",
		rule: "Where CreatedAt is equal, List orders by ID, descending.",
		run: func(h *harness) {
			for _, n := range []int{3, 1, 4, 0xabc, 5, 2} {
				rec := h.record()
				rec.Token.ID = numberedID(n)
				h.insert(rec)
			}
			want := []string{numberedID(0xabc), numberedID(5), numberedID(4), numberedID(3), numberedID(2), numberedID(1)}
			h.sameIDs(h.list(pat.Owner{GroupID: "group-1"}), want, "List")
		},
	},
	{
		name: "List/a microsecond apart is in order",
		rule: "List orders by the whole CreatedAt, to the microsecond.",
		run: func(h *harness) {
			older, newer := h.record(createdAt(base)), h.record(createdAt(base.Add(1000)))
			older.Token.ID, newer.Token.ID = newer.Token.ID, older.Token.ID
			h.insert(newer, older)
			h.sameIDs(h.list(pat.Owner{GroupID: "group-1"}), []string{newer.Token.ID, older.Token.ID}, "List")
		},
	},
	{
		name: "List/only the owner's tokens",
		rule: "List returns the tokens of the user, of the group, or, with both given, of the user in the group, and never another's, " +
			"whatever its id resembles: ids are compared byte for byte.",
		run: func(h *harness) {
			ids := []string{"1", "01", "1 ", " 1", "1.0", "10", "a", "A", "é", "e\u0301", "%", "_", "user", "group"}
			byOwner := make(map[pat.Owner]string)
			for _, user := range ids {
				for _, group := range ids {
					byOwner[pat.Owner{UserID: user, GroupID: group}] = h.added(ownedBy(user, group)).Token.ID
				}
			}
			for _, id := range ids {
				h.onlyOwned(pat.Owner{UserID: id}, len(ids))
				h.onlyOwned(pat.Owner{GroupID: id}, len(ids))
			}
			for owner, id := range byOwner {
				h.sameIDs(h.list(owner), []string{id}, "List of a user in a group")
			}
		},
	},
	{
		name: "List/an unknown owner has no tokens",
		rule: "List of an owner without tokens is empty, without an error.",
		run: func(h *harness) {
			h.added(ownedBy("user-1", "group-1"))
			h.added(ownedBy("user-2", "group-2"))
			for _, owner := range []pat.Owner{{UserID: "absent"}, {GroupID: "absent"}, {UserID: "user-1", GroupID: "group-2"}} {
				h.onlyOwned(owner, 0)
			}
		},
	},
	{
		name: "List/revoked tokens on request",
		rule: "List returns revoked tokens only with IncludeRevoked. Expired and rotated ones that are not revoked it always returns.",
		run: func(h *harness) {
			expired := h.added(createdAt(later(-3)), expiringAt(later(-2)))
			revoked := h.revoked(createdAt(later(-1)))
			rotated, next := h.rotated()
			for _, owner := range []pat.Owner{{UserID: "user-1"}, {GroupID: "group-1"}, {UserID: "user-1", GroupID: "group-1"}} {
				tokens, err := h.store.List(ctx, pat.ListQuery{Owner: owner, Limit: 10})
				h.ok(err, "List")
				h.sameIDs(tokens, []string{next.Token.ID, rotated.Token.ID, expired.Token.ID}, "List")
				h.sameIDs(h.list(owner), []string{next.Token.ID, rotated.Token.ID, revoked.Token.ID, expired.Token.ID}, "List with IncludeRevoked")
			}
		},
	},
}

// onlyOwned checks that a list has n tokens, all of them the owner's.
func (h *harness) onlyOwned(owner pat.Owner, n int) {
	h.Helper()
	tokens := h.list(owner)
	if len(tokens) != n {
		h.failf("List of %+q has %d tokens, want %d", owner, len(tokens), n)
	}
	for _, tok := range tokens {
		if !owner.Matches(tok) {
			h.failf("List of %+q has a token of user %+q in group %+q", owner, tok.UserID, tok.GroupID)
		}
	}
}

package storetest

import (
	"fmt"
	"time"

	"github.com/patkit/pat"
)

var revokeCases = []testCase{
	{
		name: "Revoke/sets the times and nothing else",
		rule: "Revoke sets RevokedAt and UpdatedAt, changes nothing else, and returns the token as it then is, with changed true. Living, " +
			"expired and rotated tokens are revoked alike.",
		run: func(h *harness) {
			rotated, _ := h.rotated()
			used := h.added()
			h.touch(used, later(1))
			used.Token.LastUsedAt = later(1)
			for _, rec := range []pat.Record{h.added(), h.added(expiringAt(time.Time{})), h.added(expiringAt(later(2))), rotated, used} {
				tok, changed, err := h.store.Revoke(ctx, rec.Token.ID, later(5))
				h.ok(err, "Revoke")
				if !changed {
					h.failf("changed is false, and the token was not revoked before")
				}
				rec.Token.RevokedAt, rec.Token.UpdatedAt = later(5), later(5)
				h.sameToken(tok, rec.Token, "Revoke")
				h.holds(rec)
			}
		},
	},
	{
		name: "Revoke/the first time stays",
		rule: "Revoking a revoked token is no error, keeps the times of the first revocation, and reports changed as false.",
		run: func(h *harness) {
			rec := h.revoked()
			for _, at := range []time.Time{later(2), later(1), later(0)} {
				tok, changed, err := h.store.Revoke(ctx, rec.Token.ID, at)
				h.ok(err, "Revoke, repeated")
				if changed {
					h.failf("changed is true, and the token was revoked before")
				}
				h.sameToken(tok, rec.Token, "Revoke, repeated")
				h.holds(rec)
			}
		},
	},
	{
		name: "Revoke/an absent token",
		rule: "Revoking an absent token is ErrNotFound, and changed is false.",
		run: func(h *harness) {
			rec := h.added()
			tok, changed, err := h.store.Revoke(ctx, numberedID(4711), later(1))
			h.fails(err, pat.ErrNotFound, "Revoke")
			if changed || tok != (pat.Token{}) {
				h.failf("Revoke of an absent token returned a token, or changed as true")
			}
			h.holds(rec)
		},
	},
	{
		name: "Revoke/only the token meant",
		rule: "Revoke changes no other token, not one of the same owner, nor the ones it is linked with by rotation.",
		run: func(h *harness) {
			old, next := h.rotated()
			other := h.added()
			_, _, err := h.store.Revoke(ctx, next.Token.ID, later(2))
			h.ok(err, "Revoke")
			h.holds(old)
			h.holds(other)
		},
	},
	{
		name: "Revoke/what is no id",
		rule: "Revoke of anything that was never given out as an id is ErrNotFound and no fault. Ids are compared byte for byte.",
		run: func(h *harness) {
			rec := h.added(withHexLetters)
			for _, id := range notIDs(rec) {
				tok, changed, err := h.store.Revoke(ctx, id, later(1))
				h.fails(err, pat.ErrNotFound, "Revoke")
				if changed || tok != (pat.Token{}) {
					h.failf("Revoke of what is no id returned a token, or changed as true")
				}
			}
			h.holds(rec)
		},
	},
	{
		name: "Revoke/without a time",
		rule: "Revoke with a zero time is an error that matches ErrInvalidArgument and changes nothing: a token that is reported as revoked " +
			"must not go on living.",
		run: func(h *harness) {
			for _, rec := range []pat.Record{h.added(), h.revoked()} {
				tok, changed, err := h.store.Revoke(ctx, rec.Token.ID, time.Time{})
				h.fails(err, pat.ErrInvalidArgument, "Revoke")
				if changed || tok != (pat.Token{}) {
					h.failf("Revoke without a time returned a token, or changed as true")
				}
				h.holds(rec)
			}
		},
	},
	{
		name: "Revoke/of many at once, one is first",
		rule: "Of several callers who revoke a token at once, one sees changed as true. All see the same times, which stay.",
		run: func(h *harness) {
			for range 10 {
				rec := h.added()
				tokens, changes := make([]pat.Token, 8), make([]bool, 8)
				errs := together(8, func(i int) (err error) {
					tokens[i], changes[i], err = h.store.Revoke(ctx, rec.Token.ID, later(i+1))
					return err
				})
				winners := 0
				rec = h.find(rec.Token.Prefix)
				for i, err := range errs {
					h.ok(err, "Revoke")
					h.sameToken(tokens[i], rec.Token, "Revoke")
					if changes[i] {
						winners++
					}
				}
				if winners != 1 {
					h.failf("%d of 8 callers at once saw changed as true, want 1", winners)
				}
			}
		},
	},
}

var revokeAllCases = []testCase{
	{
		name: "RevokeAll/of a user",
		rule: "RevokeAll with a UserID revokes the tokens of this user in all groups, and no other.",
		run:  func(h *harness) { h.revokesAll(pat.Owner{UserID: "b"}) },
	},
	{
		name: "RevokeAll/of a group",
		rule: "RevokeAll with a GroupID revokes the tokens of all users of this group, and no other.",
		run:  func(h *harness) { h.revokesAll(pat.Owner{GroupID: "b"}) },
	},
	{
		name: "RevokeAll/of a user in a group",
		rule: "RevokeAll with both ids revokes the tokens of this user in this group, and no other.",
		run:  func(h *harness) { h.revokesAll(pat.Owner{UserID: "b", GroupID: "b"}) },
	},
	{
		name: "RevokeAll/of nobody",
		rule: "RevokeAll of the zero Owner, or of one without tokens, revokes nothing, without an error.",
		run: func(h *harness) {
			h.revokesAll(pat.Owner{})
			h.revokesAll(pat.Owner{UserID: "absent"})
			h.revokesAll(pat.Owner{GroupID: "absent"})
			h.revokesAll(pat.Owner{UserID: "a", GroupID: "absent"})
		},
	},
	{
		name: "RevokeAll/leaves revoked tokens as they are",
		rule: "RevokeAll keeps the times of tokens revoked before, and does not return them. Expired and rotated ones it revokes.",
		run: func(h *harness) {
			before := h.revoked()
			expired := h.added(createdAt(later(-3)), expiringAt(later(-2)))
			rotated, next := h.rotated()
			tokens, err := h.store.RevokeAll(ctx, pat.Owner{GroupID: "group-1"}, later(5))
			h.ok(err, "RevokeAll")
			h.returnsRevoked(tokens, later(5), expired, rotated, next)
			h.holds(before)
			tokens, err = h.store.RevokeAll(ctx, pat.Owner{GroupID: "group-1"}, later(6))
			h.ok(err, "RevokeAll, repeated")
			h.returnsRevoked(tokens, later(6))
		},
	},
	{
		name: "RevokeAll/without a time",
		rule: "RevokeAll with a zero time is an error that matches ErrInvalidArgument and changes nothing: tokens that are reported as " +
			"revoked must not go on living.",
		run: func(h *harness) {
			records := []pat.Record{h.added(), h.added(), h.revoked()}
			tokens, err := h.store.RevokeAll(ctx, pat.Owner{GroupID: "group-1"}, time.Time{})
			h.fails(err, pat.ErrInvalidArgument, "RevokeAll")
			if len(tokens) > 0 {
				h.failf("RevokeAll without a time returned %d tokens, want none", len(tokens))
			}
			for _, rec := range records {
				h.holds(rec)
			}
		},
	},
	{
		name: "RevokeAll/however many",
		rule: "RevokeAll revokes all tokens of the owner in one step, also where they are more than fit on a page.",
		run: func(h *harness) {
			const many = 1500
			for range many {
				h.added()
			}
			tokens, err := h.store.RevokeAll(ctx, pat.Owner{GroupID: "group-1"}, later(5))
			h.ok(err, "RevokeAll")
			if len(tokens) != many {
				h.failf("RevokeAll returned %d tokens, want %d", len(tokens), many)
			}
			for _, tok := range h.list(pat.Owner{GroupID: "group-1"}) {
				if !tok.Revoked() {
					h.fatalf("a token is not revoked after RevokeAll of %d", many)
				}
			}
		},
	},
}

// revokesAll checks what RevokeAll does among owners whose ids resemble each other.
func (h *harness) revokesAll(owner pat.Owner) {
	h.Helper()
	var owned, others []pat.Record
	ids := []string{"a", "b", "B", "b ", "bb"}
	for _, user := range ids {
		for _, group := range ids {
			if rec := h.added(ownedBy(user, group)); owner.Matches(rec.Token) {
				owned = append(owned, rec)
			} else {
				others = append(others, rec)
			}
		}
	}
	tokens, err := h.store.RevokeAll(ctx, owner, later(5))
	h.ok(err, "RevokeAll")
	h.returnsRevoked(tokens, later(5), owned...)
	for _, rec := range others {
		h.holds(rec)
	}
}

// returnsRevoked checks that the tokens, in any order, are the given records, revoked at the time.
func (h *harness) returnsRevoked(tokens []pat.Token, at time.Time, records ...pat.Record) {
	h.Helper()
	returned := make(map[string]pat.Token)
	for _, tok := range tokens {
		returned[tok.ID] = tok
	}
	if len(tokens) != len(records) || len(returned) != len(records) {
		h.failf("RevokeAll returned %d tokens, %d of them different, want %d", len(tokens), len(returned), len(records))
	}
	for _, rec := range records {
		rec.Token.RevokedAt, rec.Token.UpdatedAt = at, at
		h.sameToken(returned[rec.Token.ID], rec.Token, fmt.Sprintf("RevokeAll, the token %q", rec.Token.Name))
		h.holds(rec)
	}
}

package storetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/patkit/pat"
)

// holds checks that the store has exactly this record, whichever way it is asked.
func (h *harness) holds(want pat.Record) {
	h.Helper()
	rec, err := h.store.FindByPrefix(ctx, want.Token.Prefix)
	h.ok(err, "FindByPrefix")
	h.sameRecord(rec, want)
	tok, err := h.store.FindByID(ctx, want.Token.ID)
	h.ok(err, "FindByID")
	h.sameToken(tok, want.Token, "FindByID")
	for _, tok := range h.list(pat.Owner{UserID: want.Token.UserID, GroupID: want.Token.GroupID}) {
		if tok.ID == want.Token.ID {
			h.sameToken(tok, want.Token, "List")
			return
		}
	}
	h.failf("List does not have a token that FindByID has")
}

// lacks checks that the store has nothing under this record's id and prefix, whichever way it is asked.
func (h *harness) lacks(rec pat.Record) {
	h.Helper()
	_, err := h.store.FindByPrefix(ctx, rec.Token.Prefix)
	h.fails(err, pat.ErrNotFound, "FindByPrefix")
	_, err = h.store.FindByID(ctx, rec.Token.ID)
	h.fails(err, pat.ErrNotFound, "FindByID")
	for _, tok := range h.list(pat.Owner{UserID: rec.Token.UserID, GroupID: rec.Token.GroupID}) {
		if tok.ID == rec.Token.ID {
			h.failf("List has a token that must not be there")
		}
	}
}

// sameRecord compares what FindByPrefix returned.
func (h *harness) sameRecord(got, want pat.Record) {
	h.Helper()
	const call = "FindByPrefix"
	h.sameToken(got.Token, want.Token, call)
	h.sameDigest(got.Digest, want.Digest, call)
}

func (h *harness) sameDigest(got, want pat.Digest, call string) {
	h.Helper()
	if got != want { // printing them tells no more: a Digest hides its bytes
		h.failf("%s: the digest is not the one expected (%v of %d bytes, want %v of %d)",
			call, got, len(got.Encoded()), want, len(want.Encoded()))
	}
}

func (h *harness) sameToken(got, want pat.Token, call string) {
	h.Helper()
	if differences := compare(got, want); len(differences) > 0 {
		h.failf("%s: the token is not the one expected:\n\t%s", call, strings.Join(differences, "\n\t"))
	}
}

// sameIDs checks which tokens are there, and in what order.
func (h *harness) sameIDs(got []pat.Token, want []string, call string) {
	h.Helper()
	ids := make([]string, len(got))
	for i, tok := range got {
		ids[i] = tok.ID
	}
	if strings.Join(ids, " ") != strings.Join(want, " ") {
		h.failf("%s: got the ids\n\t%q\nwant\n\t%q", call, ids, want)
	}
}

// compare says in which fields two tokens differ.
func compare(got, want pat.Token) []string {
	var differences []string
	for _, f := range []struct {
		field     string
		got, want string
	}{
		{"ID", got.ID, want.ID},
		{"UserID", got.UserID, want.UserID},
		{"GroupID", got.GroupID, want.GroupID},
		{"Name", got.Name, want.Name},
		{"Prefix", got.Prefix, want.Prefix},
		{"Scopes", got.Scopes.String(), want.Scopes.String()},
		{"RotatedFrom", got.RotatedFrom, want.RotatedFrom},
		{"RotatedTo", got.RotatedTo, want.RotatedTo},
	} {
		if f.got != f.want {
			differences = append(differences, fmt.Sprintf("%s is %q, want %q", f.field, f.got, f.want))
		}
	}
	for _, f := range []struct {
		field     string
		got, want time.Time
	}{
		{"CreatedAt", got.CreatedAt, want.CreatedAt},
		{"UpdatedAt", got.UpdatedAt, want.UpdatedAt},
		{"ExpiresAt", got.ExpiresAt, want.ExpiresAt},
		{"LastUsedAt", got.LastUsedAt, want.LastUsedAt},
		{"RevokedAt", got.RevokedAt, want.RevokedAt},
	} {
		if !f.got.Equal(f.want) || f.got.Location() != time.UTC {
			differences = append(differences, fmt.Sprintf("%s is %v, want %v", f.field, f.got, f.want))
		}
	}
	return differences
}

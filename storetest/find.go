package storetest

import (
	"strings"

	"github.com/patkit/pat"
)

var findCases = []testCase{
	{
		name: "FindByPrefix/an absent prefix is not found",
		rule: "An absent prefix is ErrNotFound, in an empty store too.",
		run: func(h *harness) {
			_, err := h.store.FindByPrefix(ctx, "absentPrefix")
			h.fails(err, pat.ErrNotFound, "FindByPrefix in an empty store")
			h.added()
			_, err = h.store.FindByPrefix(ctx, "absentPrefix")
			h.fails(err, pat.ErrNotFound, "FindByPrefix")
		},
	},
	{
		name: "FindByPrefix/only the very prefix finds",
		rule: "FindByPrefix compares the whole prefix byte for byte. Case, spaces, parts and patterns don't match, and anything " +
			"can be asked for: what is no prefix is ErrNotFound and no fault.",
		run: func(h *harness) {
			rec := h.added(withPrefix("abcDEF_%123"))
			for _, prefix := range []string{
				"", "abcdef_%123", "ABCDEF_%123", "abcDEF_%12", "abcDEF_%1234", " abcDEF_%123", "abcDEF_%123 ", "%", "abcDEF%", "abcDEFx%123",
				"abcDEF_%123\x00", "\x00", "\xff\xfe", "abcDEF_%12\u0663", strings.Repeat("a", 100_000), rec.Token.ID,
			} {
				_, err := h.store.FindByPrefix(ctx, prefix)
				h.fails(err, pat.ErrNotFound, "FindByPrefix of another prefix")
			}
			h.holds(rec)
		},
	},
	{
		name: "FindByPrefix/each prefix finds its own record",
		rule: "FindByPrefix returns the record with this prefix, of however many there are.",
		run: func(h *harness) {
			var records []pat.Record
			for range 300 {
				records = append(records, h.added())
			}
			for _, rec := range records {
				h.sameRecord(h.find(rec.Token.Prefix), rec)
			}
		},
	},
	{
		name: "FindByPrefix/revoked and expired tokens are found",
		rule: "FindByPrefix returns revoked, rotated and expired tokens too. It is not the store that refuses them.",
		run: func(h *harness) {
			old, next := h.rotated()
			for _, rec := range []pat.Record{old, next, h.revoked(), h.added(createdAt(later(-3)), expiringAt(later(-2)))} {
				h.holds(rec)
			}
		},
	},
	{
		name: "FindByID/an absent id is not found",
		rule: "An absent id is ErrNotFound, in an empty store too.",
		run: func(h *harness) {
			_, err := h.store.FindByID(ctx, numberedID(4711))
			h.fails(err, pat.ErrNotFound, "FindByID in an empty store")
			h.added()
			_, err = h.store.FindByID(ctx, numberedID(4711))
			h.fails(err, pat.ErrNotFound, "FindByID")
		},
	},
	{
		name: "FindByID/what is no id",
		rule: "FindByID compares the whole id byte for byte, and anything can be asked for: what was never given out as an id is " +
			"ErrNotFound and no fault.",
		run: func(h *harness) {
			rec := h.added(withHexLetters)
			for _, id := range notIDs(rec) {
				_, err := h.store.FindByID(ctx, id)
				h.fails(err, pat.ErrNotFound, "FindByID")
			}
			h.holds(rec)
		},
	},
	{
		name: "FindByID/each id finds its own token",
		rule: "FindByID returns the token with this id, of however many there are.",
		run: func(h *harness) {
			var records []pat.Record
			for range 300 {
				records = append(records, h.added())
			}
			for _, rec := range records {
				tok, err := h.store.FindByID(ctx, rec.Token.ID)
				h.ok(err, "FindByID")
				h.sameToken(tok, rec.Token, "FindByID")
			}
		},
	},
}

// withHexLetters gives a record an id that has another form in upper case.
func withHexLetters(r *pat.Record) { r.Token.ID = numberedID(0xabcdef) }

// notIDs returns strings that are no id, or are that of the record in a form in which it was not given out.
func notIDs(rec pat.Record) []string {
	id := rec.Token.ID
	return []string{
		"", "x", "\x00", "\xff\xfe", "%", strings.ToUpper(id), id + "\x00", id[:len(id)-1] + "\x00", id[:len(id)-1], id + "0", " " + id, id + " ",
		"{" + id + "}", "urn:uuid:" + id, strings.ReplaceAll(id, "-", ""), rec.Token.Prefix, strings.Repeat("0", 100_000),
	}
}

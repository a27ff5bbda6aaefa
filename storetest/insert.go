package storetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/patkit/pat"
)

var insertCases = []testCase{
	{
		name: "Insert/every field comes back",
		rule: "What Insert was given comes back from FindByPrefix, FindByID and List, in every field.",
		run: func(h *harness) {
			rec := h.record(func(r *pat.Record) {
				r.Token.UpdatedAt, r.Token.ExpiresAt, r.Token.LastUsedAt, r.Token.RevokedAt = later(1), later(2), later(3), later(4)
				r.Token.RotatedFrom, r.Token.RotatedTo = numberedID(1001), numberedID(1002)
			})
			h.insert(rec)
			h.holds(rec)
		},
	},
	{
		name: "Insert/what is not set comes back as not set",
		rule: "A zero time means \"none\" and comes back as the zero time, not as 1970 or NULL; empty scopes and lineage come back empty.",
		run: func(h *harness) {
			rec := h.record(func(r *pat.Record) { r.Token.ExpiresAt, r.Token.Scopes = time.Time{}, pat.Scopes{} })
			h.insert(rec)
			h.holds(rec)
		},
	},
	{
		name: "Insert/times are exact to the microsecond",
		rule: "Times come in and go out in UTC, exact to the microsecond, from 1970 to the year 9998.",
		run: func(h *harness) {
			for _, at := range []time.Time{
				time.Unix(0, 1000).UTC(),
				time.Date(1999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
				time.Date(2038, 1, 19, 3, 14, 8, 1000, time.UTC), // beyond 32 bits of seconds
				time.Date(9998, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
			} {
				rec := h.record(createdAt(at), expiringAt(at), func(r *pat.Record) { r.Token.LastUsedAt, r.Token.RevokedAt = at, at })
				h.insert(rec)
				h.holds(rec)
			}
		},
	},
	{
		name: "Insert/text comes back as it was",
		rule: "Names and owners are any valid UTF-8, and come back byte for byte: neither normalised, trimmed, nor read as numbers or SQL.",
		run: func(h *harness) {
			for _, text := range []string{
				"Zoë \u00e9 e\u0301 日本語 שלום 👩‍👩‍👧", `it's "quoted" \ % _ ; DROP TABLE tokens; --`, "007", "1e3", "null", " padded ", "\u200e",
			} {
				rec := h.record(ownedBy(text, text), func(r *pat.Record) { r.Token.Name = text })
				h.insert(rec)
				h.holds(rec)
			}
		},
	},
	{
		name: "Insert/the longest texts fit",
		rule: "The longest owners (255 bytes), name (255 characters), look-up key (128 bytes), scopes (64 of 128 bytes) and digest (512 bytes) " +
			"are held without being cut.",
		run: func(h *harness) {
			all := make([]string, 64)
			for i := range all {
				all[i] = fmt.Sprintf("%0128d", i)
			}
			rec := h.record(
				ownedBy(strings.Repeat("u", 255), strings.Repeat("g", 255)),
				withPrefix(strings.Repeat("k", 128)),
				withDigest(parsedDigest("bcrypt$$"+strings.Repeat("d", 512-len("bcrypt$$")))),
				func(r *pat.Record) { r.Token.Name, r.Token.Scopes = strings.Repeat("😀", 255), scopes(all...) },
			)
			h.insert(rec)
			h.holds(rec)
		},
	},
	{
		name: "Insert/digests are bytes",
		rule: "The bytes of a digest may be any: zeros, '$' and what is no UTF-8 come back unchanged.",
		run: func(h *harness) {
			every := make([]byte, 256)
			for i := range every {
				every[i] = byte(i)
			}
			for _, d := range []pat.Digest{
				digest(string(every)), digest(strings.Repeat("\x00", 32)), digest(strings.Repeat("\xff", 32)), digest("$$ '\"\\ "),
				parsedDigest("hmac-sha256$key-1$" + strings.Repeat("\x80", 32)),
			} {
				rec := h.record(withDigest(d))
				h.insert(rec)
				h.holds(rec)
			}
		},
	},
	{
		name: "Insert/a taken id is refused",
		rule: "Insert returns ErrExists if the id is taken, by a living token or by a revoked one, and changes nothing.",
		run: func(h *harness) {
			for _, taken := range []pat.Record{h.added(), h.revoked()} {
				rec := h.record()
				rec.Token.ID = taken.Token.ID
				h.fails(h.store.Insert(ctx, rec, 0), pat.ErrExists, "Insert with a taken id")
				h.holds(taken)
				_, err := h.store.FindByPrefix(ctx, rec.Token.Prefix)
				h.fails(err, pat.ErrNotFound, "FindByPrefix of the record that was refused")
			}
		},
	},
	{
		name: "Insert/a taken prefix is refused",
		rule: "Insert returns ErrExists if the prefix is taken, by a living token or by a revoked one, and changes nothing.",
		run: func(h *harness) {
			for _, taken := range []pat.Record{h.added(), h.revoked()} {
				rec := h.record(withPrefix(taken.Token.Prefix))
				h.fails(h.store.Insert(ctx, rec, 0), pat.ErrExists, "Insert with a taken prefix")
				h.holds(taken)
				_, err := h.store.FindByID(ctx, rec.Token.ID)
				h.fails(err, pat.ErrNotFound, "FindByID of the record that was refused")
			}
		},
	},
	{
		name: "Insert/prefixes that differ in case are different",
		rule: "Prefixes are compared byte for byte: one that differs only in case is not taken.",
		run: func(h *harness) {
			upper, lower := h.added(withPrefix("ABCDEFabcdef")), h.added(withPrefix("abcdefABCDEF"))
			h.holds(upper)
			h.holds(lower)
		},
	},
	{
		name: "Insert/a repeated call succeeds and changes nothing",
		rule: "Insert of a record whose id, prefix and digest are there together is the earlier try of the same call, whose outcome " +
			"got lost. It returns nil and changes nothing, so that no repetition revives a revoked token.",
		run: func(h *harness) {
			rec := h.added()
			h.ok(h.store.Insert(ctx, rec, 0), "Insert, repeated")
			h.holds(rec)
			h.ok(h.store.Touch(ctx, []pat.Use{{Prefix: rec.Token.Prefix, At: later(2)}}), "Touch")
			tok, _, err := h.store.Revoke(ctx, rec.Token.ID, later(3))
			h.ok(err, "Revoke")
			h.ok(h.store.Insert(ctx, rec, 0), "Insert, repeated after a revoke")
			h.holds(pat.Record{Token: tok, Digest: rec.Digest})
			if n := len(h.list(pat.Owner{GroupID: rec.Token.GroupID})); n != 1 {
				h.failf("List has %d tokens after a repeated Insert, want 1", n)
			}
		},
	},
	{
		name: "Insert/a record that shares only a part is no repetition",
		rule: "Only a record that has id, prefix and digest in common with one that is there is a repeated call. Any other is ErrExists.",
		run: func(h *harness) {
			rec := h.added()
			otherDigest, otherPrefix, otherID := rec, rec, rec
			otherDigest.Digest = digest("another digest")
			otherPrefix.Token.Prefix = "anotherPrefx"
			otherID.Token.ID = numberedID(4711)
			h.fails(h.store.Insert(ctx, otherDigest, 0), pat.ErrExists, "Insert with the same id and prefix, and another digest")
			h.fails(h.store.Insert(ctx, otherPrefix, 0), pat.ErrExists, "Insert with the same id and digest, and another prefix")
			h.fails(h.store.Insert(ctx, otherID, 0), pat.ErrExists, "Insert with the same prefix and digest, and another id")
			h.holds(rec)
		},
	},
	{
		name: "Insert/of many at once with one id, one wins",
		rule: "Looking whether id and prefix are free, and adding, are one step: of many callers with the same id or the same prefix, one succeeds.",
		run: func(h *harness) {
			for round := range 10 {
				records := make([]pat.Record, 8)
				for i := range records {
					records[i] = h.record()
					if round%2 == 0 {
						records[i].Token.ID = records[0].Token.ID
					} else {
						records[i].Token.Prefix = records[0].Token.Prefix
					}
				}
				errs := together(len(records), func(i int) error { return h.store.Insert(ctx, records[i], 0) })
				h.holds(records[h.onlyOne(errs, "Insert", pat.ErrExists)])
			}
		},
	},
	{
		name: "Insert/many repetitions at once all succeed",
		rule: "A repeated Insert returns nil also while the first try is still running, and the record is there once.",
		run: func(h *harness) {
			for range 10 {
				rec := h.record()
				for _, err := range together(8, func(int) error { return h.store.Insert(ctx, rec, 0) }) {
					h.ok(err, "Insert, repeated at the same time")
				}
				h.holds(rec)
			}
			if n := len(h.list(pat.Owner{GroupID: "group-1"})); n != 10 {
				h.failf("List has %d tokens, want 10", n)
			}
		},
	},
}

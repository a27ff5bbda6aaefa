package storetest

import (
	"strings"
	"time"

	"github.com/patkit/pat"
)

var touchCases = []testCase{
	{
		name: "Touch/sets LastUsedAt and nothing else",
		rule: "Touch sets LastUsedAt. UpdatedAt and all else stay: being used is not a change.",
		run: func(h *harness) {
			used, other := h.added(), h.added()
			h.touch(used, later(1))
			used.Token.LastUsedAt = later(1)
			h.holds(used)
			h.holds(other)
		},
	},
	{
		name: "Touch/only forward",
		rule: "LastUsedAt only ever moves forward. An earlier time changes nothing; a microsecond later counts.",
		run: func(h *harness) {
			rec := h.added()
			h.touch(rec, later(2))
			h.touch(rec, later(1))
			h.touch(rec, later(2).Add(-time.Microsecond))
			rec.Token.LastUsedAt = later(2)
			h.holds(rec)
			h.touch(rec, later(2).Add(time.Microsecond))
			rec.Token.LastUsedAt = later(2).Add(time.Microsecond)
			h.holds(rec)
		},
	},
	{
		name: "Touch/without a time",
		rule: "Touch with a use at the zero time is an error that matches ErrInvalidArgument and writes none of the batch.",
		run: func(h *harness) {
			first, last := h.added(), h.added()
			err := h.store.Touch(ctx, []pat.Use{{Prefix: first.Token.Prefix, At: later(1)}, {Prefix: last.Token.Prefix}})
			h.fails(err, pat.ErrInvalidArgument, "Touch")
			h.holds(first)
			h.holds(last)
		},
	},
	{
		name: "Touch/never un-revokes",
		rule: "Touch of a revoked, rotated or expired token moves its LastUsedAt and nothing else.",
		run: func(h *harness) {
			rotated, _ := h.rotated()
			for _, rec := range []pat.Record{h.revoked(), rotated, h.added(expiringAt(later(1)))} {
				h.touch(rec, later(200))
				rec.Token.LastUsedAt = later(200)
				h.holds(rec)
			}
		},
	},
	{
		name: "Touch/absent prefixes are passed over",
		rule: "Prefixes that are not there, or that differ in case, are passed over without an error, and the rest of the batch is written.",
		run: func(h *harness) {
			first, last := h.added(withPrefix("abcdefABCDEF")), h.added()
			h.ok(h.store.Touch(ctx, []pat.Use{
				{Prefix: "absentPrefix", At: later(1)},
				{Prefix: strings.ToUpper(first.Token.Prefix), At: later(2)},
				{Prefix: last.Token.Prefix, At: later(3)},
				{Prefix: "", At: later(4)},
			}), "Touch")
			last.Token.LastUsedAt = later(3)
			h.holds(first)
			h.holds(last)
		},
	},
	{
		name: "Touch/an empty batch",
		rule: "Touch without uses does nothing, without an error.",
		run: func(h *harness) {
			rec := h.added()
			h.ok(h.store.Touch(ctx, nil), "Touch of nil")
			h.ok(h.store.Touch(ctx, []pat.Use{}), "Touch of an empty batch")
			h.holds(rec)
		},
	},
	{
		name: "Touch/a prefix twice in a batch",
		rule: "Where a batch has a prefix more than once, the latest time counts, wherever it stands.",
		run: func(h *harness) {
			rec := h.added()
			h.ok(h.store.Touch(ctx, []pat.Use{
				{Prefix: rec.Token.Prefix, At: later(1)}, {Prefix: rec.Token.Prefix, At: later(3)}, {Prefix: rec.Token.Prefix, At: later(2)},
			}), "Touch")
			rec.Token.LastUsedAt = later(3)
			h.holds(rec)
		},
	},
	{
		name: "Touch/a large batch",
		rule: "A batch may be larger than a statement has parameters.",
		run: func(h *harness) {
			var uses []pat.Use
			for i := range 2000 {
				rec := h.record()
				if i%4 == 0 {
					h.insert(rec)
				}
				uses = append(uses, pat.Use{Prefix: rec.Token.Prefix, At: later(1)})
			}
			h.ok(h.store.Touch(ctx, uses), "Touch")
			for _, tok := range h.list(pat.Owner{GroupID: "group-1"}) {
				if !tok.LastUsedAt.Equal(later(1)) {
					h.fatalf("LastUsedAt is %v, want %v", tok.LastUsedAt, later(1))
				}
			}
		},
	},
	{
		name: "Touch/many at once",
		rule: "Of several uses recorded at once, the latest stays.",
		run: func(h *harness) {
			for range 20 {
				rec := h.added()
				for _, err := range together(8, func(i int) error {
					return h.store.Touch(ctx, []pat.Use{{Prefix: rec.Token.Prefix, At: later(i + 1)}})
				}) {
					h.ok(err, "Touch")
				}
				rec.Token.LastUsedAt = later(8)
				h.holds(rec)
			}
		},
	},
}

func (h *harness) touch(rec pat.Record, at time.Time) {
	h.Helper()
	h.ok(h.store.Touch(ctx, []pat.Use{{Prefix: rec.Token.Prefix, At: at}}), "Touch")
}

package storetest

import (
	"runtime"
	"strings"
	"unsafe"
	"weak"

	"github.com/patkit/pat"
)

var aliasingCases = []testCase{
	{
		name: "Aliasing/what List returned is the caller's",
		rule: "What is returned can't be used to change what is held: the slice that List returned may be written over.",
		run: func(h *harness) {
			rec := h.added()
			for range 2 {
				tokens := h.list(pat.Owner{GroupID: "group-1"})
				tokens[0].Name, tokens[0].RevokedAt = "changed", later(1)
				h.holds(rec)
			}
		},
	},
	{
		name: "Aliasing/what RevokeAll returned is the caller's",
		rule: "What is returned can't be used to change what is held: the slice that RevokeAll returned may be written over.",
		run: func(h *harness) {
			rec := h.added()
			tokens, err := h.store.RevokeAll(ctx, pat.Owner{GroupID: "group-1"}, later(1))
			h.ok(err, "RevokeAll")
			rec.Token = tokens[0]
			tokens[0] = pat.Token{}
			h.holds(rec)
		},
	},
	{
		name: "Aliasing/what Touch was given is the caller's",
		rule: "Arguments are not kept in a way that a caller could change: the slice given to Touch may be used again.",
		run: func(h *harness) {
			rec, other := h.added(), h.added()
			uses := []pat.Use{{Prefix: rec.Token.Prefix, At: later(1)}}
			h.ok(h.store.Touch(ctx, uses), "Touch")
			uses[0] = pat.Use{Prefix: other.Token.Prefix, At: later(2)}
			rec.Token.LastUsedAt = later(1)
			h.holds(rec)
			h.holds(other)
		},
	},
	{
		name: "Aliasing/the prefix asked for is not kept",
		rule: "FindByPrefix does not keep its argument, neither in what it returns nor in a cache, whether or not there is such a token: it is a " +
			"part of a token value, and who keeps it keeps the secret in memory. Make a copy where one is needed.",
		run: func(h *harness) {
			rec := h.added()
			// What is returned is kept until the end, as a host might.
			found, kept := h.findInValue(rec.Token.Prefix, nil)
			h.freed(kept, "the prefix of a token that is there")
			h.sameRecord(found, rec)
			_, kept = h.findInValue("absentPrefix", pat.ErrNotFound)
			h.freed(kept, "an absent prefix")
			runtime.KeepAlive(found)
		},
	},
}

// findInValue asks for a prefix that is a part of a larger value, as in a verification, and returns a weak pointer to
// that value.
//
//go:noinline
func (h *harness) findInValue(prefix string, want error) (pat.Record, weak.Pointer[byte]) {
	h.Helper()
	// Larger than what the runtime packs together with other small values, so that it is freed by itself.
	value := strings.Join([]string{"pat_", prefix, "-", strings.Repeat("s", 64)}, "")
	rec, err := h.store.FindByPrefix(ctx, value[len("pat_"):len("pat_")+len(prefix)])
	if want == nil {
		h.ok(err, "FindByPrefix")
	} else {
		h.fails(err, want, "FindByPrefix")
	}
	return rec, weak.Make(unsafe.StringData(value))
}

// freed checks that nothing holds a value any more.
func (h *harness) freed(value weak.Pointer[byte], what string) {
	h.Helper()
	for range 10 { // a driver may let go a moment later, or keep the last argument in a pool that empties in two cycles
		runtime.GC()
		if value.Value() == nil {
			return
		}
	}
	h.failf("FindByPrefix keeps %s", what)
}

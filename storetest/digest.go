package storetest

import (
	"errors"
	"strings"

	"github.com/patkit/pat"
)

var digestCases = []testCase{
	{
		name: "ReplaceDigest/sets the digest and nothing else",
		rule: "ReplaceDigest puts next in the place of old and reports true. No other field changes, not even UpdatedAt. Expired and " +
			"rotated tokens are treated like living ones.",
		run: func(h *harness) {
			rotated, _ := h.rotated()
			for _, rec := range []pat.Record{h.added(), h.added(expiringAt(later(-1))), rotated} {
				next := digest("\x00\xff$next " + rec.Token.Prefix)
				h.replaces(rec.Token.Prefix, rec.Digest, next, true)
				rec.Digest = next
				h.holds(rec)
			}
		},
	},
	{
		name: "ReplaceDigest/only the old one is replaced",
		rule: "ReplaceDigest reports false, and changes nothing, where the stored digest is not old, in every byte.",
		run: func(h *harness) {
			rec := h.added(withDigest(digest("ab\x00cd")))
			for _, old := range []pat.Digest{
				digest("ab\x00ce"), digest("ab\x00c"), digest("ab"), digest("AB\x00cd"), digest("ab\x00cd "), digest("ab\x00cd\x00"),
				parsedDigest("hmac-sha256$$ab\x00cd"), {}, digest("next"),
			} {
				h.replaces(rec.Token.Prefix, old, digest("next"), false)
			}
			h.holds(rec)
		},
	},
	{
		name: "ReplaceDigest/a second time",
		rule: "A repeated ReplaceDigest reports false, because the stored digest is no longer old.",
		run: func(h *harness) {
			rec := h.added()
			h.replaces(rec.Token.Prefix, rec.Digest, digest("next"), true)
			h.replaces(rec.Token.Prefix, rec.Digest, digest("other"), false)
			rec.Digest = digest("next")
			h.holds(rec)
		},
	},
	{
		name: "ReplaceDigest/a revoked token",
		rule: "ReplaceDigest reports false for a revoked token and leaves it as it is.",
		run: func(h *harness) {
			rec := h.revoked()
			h.replaces(rec.Token.Prefix, rec.Digest, digest("next"), false)
			h.holds(rec)
		},
	},
	{
		name: "ReplaceDigest/an absent token",
		rule: "ReplaceDigest of an absent prefix reports false, without an error. Prefixes that differ in case are different.",
		run: func(h *harness) {
			rec := h.added(withPrefix("abcdefABCDEF"))
			h.replaces("absentPrefix", rec.Digest, digest("next"), false)
			h.replaces(strings.ToUpper(rec.Token.Prefix), rec.Digest, digest("next"), false)
			h.holds(rec)
		},
	},
	{
		name: "ReplaceDigest/of many at once, one wins",
		rule: "Comparing and replacing are one step: of several callers at once with the same old digest, one sees true, and its digest stays.",
		run: func(h *harness) {
			lost := errors.New("reported false")
			for range 10 {
				rec := h.added()
				next := make([]pat.Digest, 8)
				for i := range next {
					next[i] = digest("next " + numberedID(i))
				}
				errs := together(len(next), func(i int) error {
					replaced, err := h.store.ReplaceDigest(ctx, rec.Token.Prefix, rec.Digest, next[i])
					if err == nil && !replaced {
						return lost
					}
					return err
				})
				rec.Digest = next[h.onlyOne(errs, "ReplaceDigest", lost)]
				h.holds(rec)
			}
		},
	},
}

func (h *harness) replaces(prefix string, old, next pat.Digest, want bool) {
	h.Helper()
	got, err := h.store.ReplaceDigest(ctx, prefix, old, next)
	h.ok(err, "ReplaceDigest")
	if got != want {
		h.failf("ReplaceDigest reported %t, want %t", got, want)
	}
}

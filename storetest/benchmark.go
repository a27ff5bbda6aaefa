package storetest

import (
	"fmt"
	"testing"

	"github.com/patkit/pat"
)

// Benchmark measures a store at the same work as all others: what a verification reads, and the writes. Each part runs
// on a store of its own, which open returns empty.
func Benchmark(b *testing.B, open func(b *testing.B) pat.Store) {
	const held = 10_000
	b.Run(fmt.Sprintf("FindByPrefix/tokens=%d", held), func(b *testing.B) {
		h := filled(b, open(b), held)
		prefixes := h.prefixes(held)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			prefix := prefixes[i%held]
			if rec, err := h.store.FindByPrefix(ctx, prefix); err != nil || rec.Token.Prefix != prefix {
				b.Fatal("wrong record, or error:", err)
			}
		}
	})
	b.Run(fmt.Sprintf("FindByPrefix-absent/tokens=%d", held), func(b *testing.B) {
		h := filled(b, open(b), held)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := h.store.FindByPrefix(ctx, "absentPrefix"); err == nil {
				b.Fatal("found an absent prefix")
			}
		}
	})
	b.Run("Insert/limit=10", func(b *testing.B) {
		h := filled(b, open(b), 0)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if err := h.store.Insert(ctx, h.record(ownedBy("user-1", fmt.Sprint(i/10))), 10); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Touch/batch=500", func(b *testing.B) {
		h := filled(b, open(b), held)
		uses := make([]pat.Use, 500)
		prefixes := h.prefixes(len(uses))
		b.ReportAllocs()
		for round := 1; b.Loop(); round++ {
			for i, prefix := range prefixes {
				uses[i] = pat.Use{Prefix: prefix, At: later(round)}
			}
			if err := h.store.Touch(ctx, uses); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("List/limit=100", func(b *testing.B) {
		h := filled(b, open(b), held)
		b.ReportAllocs()
		for b.Loop() {
			tokens, err := h.store.List(ctx, pat.ListQuery{Owner: pat.Owner{GroupID: "group-1"}, Limit: 100})
			if err != nil || len(tokens) != 100 {
				b.Fatal("wrong page, or error:", err)
			}
		}
	})
}

func filled(b *testing.B, store pat.Store, n int) *harness {
	h := &harness{reporter: b, rule: "A benchmark fills the store.", store: store}
	for range n {
		h.added()
	}
	return h
}

// prefixes returns the prefixes of the first n records.
func (h *harness) prefixes(n int) []string {
	made := h.made
	defer func() { h.made = made }()
	h.made = 0
	prefixes := make([]string, n)
	for i := range prefixes {
		prefixes[i] = h.record().Token.Prefix
	}
	return prefixes
}

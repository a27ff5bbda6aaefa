package pat_test

import (
	"testing"

	"github.com/patkit/pat"
	"github.com/patkit/pat/memory"
)

// BenchmarkRefuseGarbage measures what a value costs that no store is asked about. The floor is the walk over its
// bytes that finding out takes. See package memory for what a verification costs.
func BenchmarkRefuseGarbage(b *testing.B) {
	verifier, err := pat.NewVerifier(memory.New(), pat.Config{})
	if err != nil {
		b.Fatal(err)
	}
	const good = "pat_0QJG9EqYRifx-uSysxGgWNcmcp8J9AbhOqlMxpOXHIj2Q0ZHUxl"
	for _, c := range []struct{ name, value string }{
		{"length", good[:54]},
		{"alphabet", good[:54] + "!"},
		{"checksum", good[:54] + "m"},
	} {
		b.Run(c.name, func(b *testing.B) {
			ctx := b.Context()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := verifier.Verify(ctx, c.value); err == nil {
					b.Fatal("garbage was not refused")
				}
			}
		})
	}
}

func TestRefusingGarbageDoesNotAllocate(t *testing.T) {
	h := newHouse(t, pat.Config{})
	_, value := h.create(t)
	for _, garbage := range []string{"", value[:54], value[:54] + "!", value[:53] + "00", value + value} {
		if n := testing.AllocsPerRun(100, func() { _, _ = h.Verify(t.Context(), garbage) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}

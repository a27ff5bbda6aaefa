package memory_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/bench"
	"github.com/patkit/pat/memory"
)

func TestVerifyingAllocatesNothing(t *testing.T) {
	ctx := context.Background()
	store := memory.New()
	values := bench.Fill(t, store, 100)
	verifier, err := pat.NewVerifier(store, bench.Recently())
	require.NoError(t, err)
	n := 0
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		n++
		if _, err := verifier.Verify(ctx, values[n%len(values)]); err != nil {
			t.Error(err)
		}
	}), "Verify")
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		n++
		if _, err := store.FindByPrefix(ctx, values[n%len(values)][4:16]); err != nil {
			t.Error(err)
		}
	}), "FindByPrefix")
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		if _, err := store.FindByPrefix(ctx, "absentPrefix"); err == nil {
			t.Error("found an absent prefix")
		}
	}), "FindByPrefix of an absent prefix")
}

package memory_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/internal/contest"
	"github.com/patkit/pat/internal/testscale"
	"github.com/patkit/pat/memory"
)

func TestNothingBringsARevokedTokenBack(t *testing.T) {
	store := memory.New()
	var total contest.Report
	for round := range testscale.Rounds(t, 500, 50_000) {
		report, err := contest.Revoke(store, round)
		require.NoError(t, err)
		total = total.Plus(report)
	}
	t.Log(total)
}

func TestOfManyCreatorsOneGetsTheLastPlace(t *testing.T) {
	store := memory.New()
	crowd, err := contest.NewCrowd(store, 200)
	require.NoError(t, err)
	for round := range testscale.Rounds(t, 200, 10_000) {
		require.NoError(t, contest.LastPlace(store, round, crowd))
	}
}

func TestCallsThatOverlapBreakNoPromise(t *testing.T) {
	for _, c := range contest.Interleavings() {
		t.Run(c.Name, func(t *testing.T) { require.NoError(t, c.Run(memory.New())) })
	}
}

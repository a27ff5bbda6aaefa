package postgres

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/internal/contest"
	"github.com/patkit/pat/internal/testscale"
)

func TestOfManyCreatorsOneGetsTheLastPlace(t *testing.T) {
	s := testStore(t)
	crowd, err := contest.NewCrowd(s, 200)
	require.NoError(t, err)
	for round := range testscale.Rounds(t, 5, 300) {
		require.NoError(t, contest.LastPlace(s, round, crowd))
	}
}

func TestNothingBringsARevokedTokenBack(t *testing.T) {
	s := testStore(t)
	var total contest.Report
	for round := range testscale.Rounds(t, 20, 1500) {
		report, err := contest.Revoke(s, round)
		require.NoError(t, err)
		total = total.Plus(report)
	}
	t.Log(total)
}

func TestCallsThatOverlapBreakNoPromise(t *testing.T) {
	for _, c := range contest.Interleavings() {
		t.Run(c.Name, func(t *testing.T) { require.NoError(t, c.Run(testStore(t))) })
	}
}

package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/contest"
	"github.com/patkit/pat/internal/peer"
	"github.com/patkit/pat/internal/testscale"
)

func TestOfManyCreatorsOneGetsTheLastPlace(t *testing.T) {
	const creators, processes = 200, 4
	t.Run("in one process", func(t *testing.T) {
		s := inFile(t)
		crowd, err := contest.NewCrowd(s, creators)
		require.NoError(t, err)
		for round := range testscale.Rounds(t, 20, 1000) {
			require.NoError(t, contest.LastPlace(s, round, crowd))
		}
	})
	t.Run("in several processes", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "pat.db")
		s := open(t, path)
		var crowds []contest.Crowd
		for _, p := range peer.StartAll(t, processes, path) {
			crowds = append(crowds, p.Crowd(creators/processes))
		}
		for round := range testscale.Rounds(t, 20, 1000) {
			require.NoError(t, contest.LastPlace(s, round, crowds...))
		}
	})
}

func TestNothingBringsARevokedTokenBack(t *testing.T) {
	storms := func(t *testing.T, s pat.Store, rounds int, others ...contest.Party) {
		t.Helper()
		var total contest.Report
		for round := range rounds {
			report, err := contest.Revoke(s, round, others...)
			require.NoError(t, err)
			total = total.Plus(report)
		}
		t.Log(total)
	}
	t.Run("in one process", func(t *testing.T) {
		storms(t, inFile(t), testscale.Rounds(t, 30, 3000))
	})
	t.Run("in a database in memory", func(t *testing.T) {
		storms(t, inMemory(t), testscale.Rounds(t, 30, 3000))
	})
	t.Run("in several processes", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "pat.db")
		s := open(t, path)
		var others []contest.Party
		for _, p := range peer.StartAll(t, 2, path) {
			others = append(others, p.Storm())
		}
		storms(t, s, testscale.Rounds(t, 20, 1500), others...)
	})
}

func TestCallsThatOverlapBreakNoPromise(t *testing.T) {
	for _, c := range contest.Interleavings() {
		t.Run(c.Name, func(t *testing.T) { require.NoError(t, c.Run(inFile(t))) })
	}
	for _, c := range contest.Interleavings() {
		t.Run("in memory, "+c.Name, func(t *testing.T) { require.NoError(t, c.Run(inMemory(t))) })
	}
}

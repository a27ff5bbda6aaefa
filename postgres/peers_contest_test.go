package postgres_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/internal/contest"
	"github.com/patkit/pat/internal/peer"
	"github.com/patkit/pat/internal/testscale"
)

func TestOfManyCreatorsInSeveralProcessesOneGetsTheLastPlace(t *testing.T) {
	const creators, processes = 200, 4
	s, target := newTarget(t)
	var crowds []contest.Crowd
	for _, p := range peer.StartAll(t, processes, target) {
		crowds = append(crowds, p.Crowd(creators/processes))
	}
	for round := range testscale.Rounds(t, 5, 500) {
		require.NoError(t, contest.LastPlace(s, round, crowds...))
	}
}

func TestNothingBringsARevokedTokenBackInSeveralProcesses(t *testing.T) {
	s, target := newTarget(t)
	var others []contest.Party
	for _, p := range peer.StartAll(t, 3, target) {
		others = append(others, p.Storm())
	}
	var total contest.Report
	for round := range testscale.Rounds(t, 10, 1000) {
		report, err := contest.Revoke(s, round, others...)
		require.NoError(t, err)
		total = total.Plus(report)
	}
	t.Log(total)
}

// One process revokes, at times everything of a user, while three others verify as fast as they can.
func TestNoVerificationSucceedsAfterAnotherProcessHasRevoked(t *testing.T) {
	const goroutines = 2
	_, target := newTarget(t)
	revoker := peer.StartAll(t, 1, target)[0]
	verifiers := peer.StartAll(t, 3, target)
	var total peer.Verifications
	tokens := 0
	for wanted := testscale.Rounds(t, 10_000, 1_000_000); total.Before+total.After < wanted; tokens++ {
		user := fmt.Sprint("user-", tokens)
		id, value, err := revoker.Create(user)
		require.NoError(t, err)
		for _, v := range verifiers {
			require.NoError(t, v.StartVerifying(value, goroutines))
		}
		revoke, argument := revoker.Revoke, id
		if tokens%2 == 1 {
			revoke, argument = revoker.RevokeAll, user
		}
		acknowledged, err := revoke(argument)
		require.NoError(t, err)
		_, _, err = revoker.Create(user) // the verifications go on meanwhile
		require.NoError(t, err)
		for _, v := range verifiers {
			seen, err := v.StopVerifying(acknowledged)
			require.NoError(t, err)
			require.Zero(t, seen.Late, "token %d: %v, the last %v after it", tokens, seen, seen.LastStart)
			require.Zero(t, seen.Failed, "token %d: %v", tokens, seen.Failure)
			total = total.Plus(seen)
		}
	}
	require.Positive(t, total.Before)
	require.Positive(t, total.After)
	t.Logf("%d tokens: %v", tokens, total)
}

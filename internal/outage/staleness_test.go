package outage

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/internal/peer"
	"github.com/patkit/pat/internal/pgtest"
	"github.com/patkit/pat/internal/testscale"
)

// How long an ending takes to be felt depends on how busy the machine is, which these processes keep entirely busy. That
// it is felt within the maximum staleness does not.
func TestARevocationIsFeltWithinTheStalenessInOtherProcesses(t *testing.T) {
	const fullRounds, fullVerifications, tokens = 30, 1_000_000, 24
	s := newService(t, pgtest.Database(t))
	to := target{URL: s.url, Staleness: staleness, Patience: patience}
	verifiers := startVerifiers(t, to, to, to)
	var delays peer.Delays
	verified, rounds := 0, testscale.Rounds(t, 2, fullRounds)
	for round := 0; round < rounds || verified < fullVerifications/fullRounds*rounds; round++ {
		issued := s.create(tokens)
		for _, v := range verifiers {
			v.watch(issued)
		}
		all, err := s.endAll(t.Context(), 10*time.Millisecond, issued)
		require.NoError(t, err)
		await(all[len(all)-1].acknowledged.Add(staleness))
		for _, v := range verifiers {
			poll(t, "all is felt", func() bool { return isFelt(t, all, v.look()) })
			for i, seen := range v.stop() {
				require.NoError(t, seen.checkEnded(all[i], staleness))
				assert.Zero(t, seen.Faults, seen.Fault)
				verified += seen.Verified
				delays = append(delays, seen.validFor(all[i].acknowledged))
			}
		}
	}
	t.Logf("after the acknowledgement the last verification that succeeded started: %v; %d verifications", delays, verified)
	for _, v := range verifiers {
		t.Logf("%+v", v.stats())
	}
}

// isFelt reports whether the end of each token was felt, and ends the test where one is valid for too long.
func isFelt(t *testing.T, all []ended, seen []sight) bool {
	t.Helper()
	refused := 0
	for i, one := range seen {
		require.LessOrEqual(t, one.validFor(all[i].acknowledged), staleness, all[i].way)
		if one.FirstInvalid != 0 {
			refused++
		}
	}
	return refused == len(all)
}

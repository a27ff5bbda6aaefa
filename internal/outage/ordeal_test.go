package outage

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/internal/peer"
	"github.com/patkit/pat/internal/testscale"
)

// rounds returns how often each trouble comes.
func rounds(t *testing.T) int {
	t.Helper()
	return testscale.Rounds(t, 1, 10)
}

// ordeal is a trouble, and those who go through it.
type ordeal struct {
	*service
	trouble
	begin, end func()
	all        []verifier
	// troubled are those of all that have the trouble.
	troubled []verifier

	ended            []ended
	delays           peer.Delays
	verified, faults int
	fault            string
	// healing is how long it took, at most, until all was well again.
	healing time.Duration
}

const kept, doomed = 4, 20

// round lets the trouble come and go once, while tokens are ended one after another. Others are kept.
func (o *ordeal) round() {
	o.t.Helper()
	issued := o.create(kept + doomed)
	for _, v := range o.all {
		v.watch(issued)
	}
	outcome := make(chan error, 1)
	var all []ended
	go func() {
		var err error
		all, err = o.endAll(o.t.Context(), 40*time.Millisecond, issued[kept:])
		outcome <- err
	}()
	o.begin()
	var err error
	if o.away {
		o.leasesEnd(time.Now())
	} else {
		err = <-outcome
	}
	o.end()
	if o.away {
		err = <-outcome
	}
	require.NoError(o.t, err)
	o.heals()
	await(all[len(all)-1].acknowledged.Add(staleness))
	o.ended = append(o.ended, all...)
	for _, v := range o.all {
		poll(o.t, "all is felt", func() bool { return isFelt(o.t, all, v.look()[kept:]) })
	}
	for i, v := range o.all {
		o.check(all, v.stop(), i < len(o.troubled))
	}
}

// leasesEnd waits until those who are cut off have tried in vain to verify each token, and sees to it that none is valid
// for longer than the maximum staleness from then on.
func (o *ordeal) leasesEnd(cutOff time.Time) {
	o.t.Helper()
	for _, v := range o.troubled {
		poll(o.t, "every lease ends", func() bool {
			refused := 0
			for _, one := range v.look() {
				require.LessOrEqual(o.t, one.validFor(cutOff), staleness, "without the database")
				if one.Faults > 0 || one.FirstInvalid != 0 {
					refused++
				}
			}
			return refused == kept+doomed
		})
	}
}

// heals waits until everybody follows the feed and verifies the tokens that are kept.
func (o *ordeal) heals() {
	o.t.Helper()
	healed := time.Now()
	for _, v := range o.all {
		poll(o.t, "the feed comes back", func() bool { return v.stats().FeedAlive })
		poll(o.t, "the tokens that are kept verify again", func() bool {
			for _, one := range v.look()[:kept] {
				if one.validFor(healed) == 0 {
					return false
				}
			}
			return true
		})
	}
	o.healing = max(o.healing, time.Since(healed))
}

func (o *ordeal) check(all []ended, seen []sight, troubled bool) {
	o.t.Helper()
	for i, one := range seen {
		if i < kept {
			assert.NoError(o.t, one.checkKept(staleness))
		} else {
			assert.NoError(o.t, one.checkEnded(all[i-kept], staleness))
			o.delays = append(o.delays, one.validFor(all[i-kept].acknowledged))
		}
		if !troubled || o.unnoticed {
			assert.Zero(o.t, one.Faults, one.Fault)
		}
		o.verified += one.Verified
		o.faults += one.Faults
		if o.fault == "" {
			o.fault = one.Fault
		}
	}
}

// tries returns how often something was tried until it was acknowledged, at most.
func (o *ordeal) tries() (most int) {
	for _, e := range o.ended {
		most = max(most, e.tries)
	}
	return most
}

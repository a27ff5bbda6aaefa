package outage

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/pgtest"
	"github.com/patkit/pat/memory"
)

// A host may choose to live longer without its database.
func TestALongLeaseLetsKnownTokensLiveOnWithoutTheDatabase(t *testing.T) {
	t.Parallel() // mostly it waits
	const long = 3 * time.Second
	c := pgtest.Own(t)
	s := newService(t, c.URL())
	v := startVerifiers(t, target{URL: c.URL(), Staleness: long, Patience: patience, Interval: time.Millisecond})[0]
	known, unseen := s.create(3), s.create(1)[0]
	elsewhere, err := pat.NewIssuer(memory.New(), pat.Config{})
	require.NoError(t, err)
	madeUp, err := elsewhere.Create(t.Context(), pat.CreateParams{UserID: "nobody", GroupID: "nothing", Name: "made up"})
	require.NoError(t, err)
	v.watch(known)
	c.Stop("fast")
	stopped := time.Now()
	for name, value := range map[string]string{"not seen before": unseen.Value.Reveal(), "made up": madeUp.Value.Reveal()} {
		_, err := v.Ask("admit", value)
		require.ErrorContains(t, err, "connect", name)
	}
	var seen []sight
	poll(t, "every lease ends", func() bool {
		seen = v.look()
		refused := 0
		for _, one := range seen {
			require.LessOrEqual(t, one.validFor(stopped), long)
			if one.Faults > 0 {
				refused++
			}
		}
		return refused == len(known)
	})
	c.Start()
	for _, one := range v.stop() {
		require.NoError(t, one.checkKept(long))
	}
	for _, one := range seen {
		assert.Positive(t, one.validFor(stopped))
		t.Logf("valid for %v without the database, then: %s", one.validFor(stopped), one.Fault)
	}
	v.admit(append(known, unseen))
}

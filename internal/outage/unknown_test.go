package outage

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/pgtest"
	"github.com/patkit/pat/internal/testscale"
)

// Here it is the writers whose network is cut, while their answers are under way.
func TestAWriteWhoseAnswerGotLostIsNeitherDoubledNorLost(t *testing.T) {
	t.Parallel() // mostly it waits
	direct := pgtest.Database(t)
	proxy := pgtest.NewProxy(t, direct)
	proxy.SetDelay(5 * time.Millisecond)
	s := newService(t, proxy.URL())
	doomed := s.create(testscale.Rounds(t, 40, 600))
	w := startWriters(t, s)
	ending := make(chan error, 1)
	var all []ended
	go func() {
		var err error
		all, err = s.endAll(t.Context(), time.Millisecond, doomed)
		ending <- err
	}()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	err := errors.New("goes on")
	for next, goesOn := 1, true; goesOn; {
		select {
		case err = <-ending:
			goesOn = false
		case <-tick.C:
			if n := w.acknowledged(); n >= next { // between two cuts there is time for some
				next = n + 6
				proxy.Cut()
				proxy.Heal()
			}
		}
	}
	require.NoError(t, err)
	created := w.stop()
	t.Log(created)

	s = newService(t, direct)
	require.NoError(t, s.checkCreated(t.Context(), created))
	for _, e := range all {
		assert.NoError(t, s.checkStays(t.Context(), e))
	}
	verifier, err := pat.NewVerifier(s.store, pat.Config{})
	require.NoError(t, err)
	for _, one := range created.acknowledged() {
		_, err := verifier.Verify(t.Context(), one.Value.Reveal())
		assert.NoError(t, err)
	}
	require.NoError(t, verifier.Close(t.Context()))
	assert.Positive(t, created.repeated(throughIssuer), "else nothing was tested")
	assert.Positive(t, created.repeated(atStore), "else nothing was tested")
}

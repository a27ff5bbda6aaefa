package sqlite

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheLockIsTriedForInPausesThatGrowUntilTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = time.Minute
		busy := sqlite3.Error{Code: sqlite3.ErrBusy}
		start := time.Now()
		var tries []time.Duration
		err := waitWhileBusy(t.Context(), limit, func() error {
			if len(tries) > 10_000 {
				return nil
			}
			tries = append(tries, time.Since(start))
			return busy
		})
		require.Equal(t, busy, err)
		last := len(tries) - 1
		assert.Zero(t, tries[0])
		assert.Equal(t, limit, tries[last])
		pause := shortestPause
		for i := range last {
			waited := tries[i+1] - tries[i]
			assert.Less(t, waited, pause*3/2, "before try %d", i+2)
			if i < last-1 {
				assert.GreaterOrEqual(t, waited, pause/2, "before try %d", i+2)
			}
			pause = min(2*pause, longestPause)
		}
		t.Logf("%d tries in %v", len(tries), limit)
	})
}

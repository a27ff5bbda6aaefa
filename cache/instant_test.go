package cache

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestALeaseEndsAsSoonAsOneOfTheTwoClocksSaysSo(t *testing.T) {
	const lease = time.Second
	for name, c := range map[string]struct {
		monotonic, wall time.Duration // how far the clocks have moved
		want            bool
	}{
		"at once":                          {0, 0, true},
		"a moment before the end":          {lease - 1, lease - 1, true},
		"at the end":                       {lease, lease, false},
		"later":                            {time.Hour, time.Hour, false},
		"the wall clock was set back":      {lease, -time.Hour, false},
		"it was set back, within the time": {lease - 1, -time.Hour, true},
		"the wall clock was set forward":   {0, time.Hour, false},
		"the machine was suspended":        {1, lease, false},
		"suspended, within the time":       {1, lease - 1, true},
		"a moment that lies in the future": {-lease, -lease, true},
	} {
		t.Run(name, func(t *testing.T) {
			began := instant{monotonic: int64(5 * time.Hour), wall: time.Now().UnixNano()}
			now := instant{monotonic: began.monotonic + int64(c.monotonic), wall: began.wall + int64(c.wall)}
			assert.Equal(t, c.want, began.within(lease, now))
		})
	}
}

func TestAnInstantHasBothClocks(t *testing.T) {
	c := newClock()
	at := c.began.Add(time.Hour)
	assert.Equal(t, instant{int64(time.Hour), at.UnixNano()}, c.instant(at))
	now := c.now()
	assert.GreaterOrEqual(t, now.monotonic, int64(0))
	assert.GreaterOrEqual(t, now.wall, c.began.UnixNano())
}

package pat

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestGenerationsRememberForAnIntervalAndForgetAfterTwo(t *testing.T) {
	const interval = time.Minute
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var g generations
	assert.True(t, g.last("a").IsZero())
	g.add("a", start, interval)
	assert.Equal(t, start, g.last("a"))
	g.add("b", start.Add(interval-1), interval)
	g.add("c", start.Add(interval), interval)
	assert.Equal(t, start, g.last("a"), "one generation later it is still there")
	g.add("d", start.Add(2*interval), interval)
	assert.True(t, g.last("a").IsZero(), "two generations later it is gone")
	assert.True(t, g.last("b").IsZero())
	assert.Equal(t, start.Add(interval), g.last("c"))
	g.add("c", start.Add(3*interval), interval)
	assert.Equal(t, start.Add(3*interval), g.last("c"), "the younger one counts")
}

func TestGenerationsAreBounded(t *testing.T) {
	var g generations
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i := range maxPending + 10 {
		g.add(strconv.Itoa(i), at, time.Minute)
	}
	assert.Len(t, g.young, maxPending)
}

func TestAUseIsDueOnceTheIntervalHasPassed(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		last, now time.Time
		want      bool
	}{
		"never used":                     {time.Time{}, at, true},
		"just used":                      {at, at, false},
		"shortly before the interval":    {at, at.Add(time.Minute - 1), false},
		"when the interval has passed":   {at, at.Add(time.Minute), true},
		"long ago":                       {at, at.Add(time.Hour), true},
		"by a clock that went backwards": {at, at.Add(-time.Hour), false},
	} {
		assert.Equal(t, c.want, due(c.last, c.now, time.Minute), name)
	}
}

package pat

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// == compares the zone and the monotonic reading too.
func TestTimesHaveOneForm(t *testing.T) {
	zone := time.FixedZone("far east", 14*3600)
	now := time.Now()
	for name, c := range map[string]struct{ in, want time.Time }{
		"no time":                      {time.Time{}, time.Time{}},
		"no time in a zone":            {time.Time{}.In(zone), time.Time{}},
		"a time in a zone":             {time.Date(2026, 1, 2, 3, 4, 5, 6789, zone), time.Date(2026, 1, 1, 13, 4, 5, 6000, time.UTC)},
		"a time with what it was read": {now, time.UnixMicro(now.UnixMicro()).UTC()},
	} {
		assert.True(t, c.want == canonicalTime(c.in), name)
	}
}

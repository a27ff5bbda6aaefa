package memory

import (
	"math"
	"time"
)

// instant is a time in 8 bytes, where a time.Time has 24: seconds since 1970 above, microseconds in the lower 20 bits.
// Unlike plain microseconds it is made into a time.Time without dividing. Later instants are greater, up to 280,000
// years from now in both directions: what lies beyond, as the place of a forged cursor may, is the last one there is.
type instant int64

const microBits = 20 // 2^20 > 1,000,000

// none is the zero time.
var none = instantOf(time.Time{})

func instantOf(t time.Time) instant {
	seconds := min(max(t.Unix(), math.MinInt64>>microBits), math.MaxInt64>>microBits)
	return instant(seconds<<microBits | int64(t.Nanosecond()/1000))
}

func (i instant) time() time.Time {
	return time.Unix(int64(i>>microBits), int64(i&(1<<microBits-1))*1000).UTC()
}

// putTime writes the time to t, which is zero, so that the zero time costs a comparison.
func (i instant) putTime(t *time.Time) {
	if i != none {
		*t = i.time()
	}
}

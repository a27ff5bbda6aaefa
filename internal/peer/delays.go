package peer

import (
	"fmt"
	"slices"
	"time"
)

// Delays are times that a test has measured, one for each case.
type Delays []time.Duration

// Max returns the longest, or 0 if there is none.
func (d Delays) Max() time.Duration {
	if len(d) == 0 {
		return 0
	}
	return slices.Max(d)
}

// Percentile returns the shortest that at least so many percent are no longer than, or 0 if there is none.
func (d Delays) Percentile(percent int) time.Duration {
	if len(d) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(d))
	return sorted[max(0, (len(d)*percent+99)/100-1)]
}

// String returns the distribution.
func (d Delays) String() string {
	return fmt.Sprintf("p50 %v, p99 %v, max %v of %d", d.Percentile(50), d.Percentile(99), d.Max(), len(d))
}

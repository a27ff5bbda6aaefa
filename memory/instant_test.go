package memory

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestInstantHoldsATimeToTheMicrosecond(t *testing.T) {
	previous := instant(-1 << 63)
	for _, at := range []time.Time{
		{},
		time.Date(1969, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
		time.Unix(0, 0).UTC(),
		time.Unix(0, 1000).UTC(),
		time.Date(2030, 1, 2, 3, 4, 5, 999_999_000, time.UTC),
		time.Date(2030, 1, 2, 3, 4, 6, 0, time.UTC),
		time.Date(9998, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
	} {
		i := instantOf(at)
		require.True(t, at == i.time(), "%v comes back as %v, under ==", at, i.time())
		require.Greater(t, i, previous, "%v is later than the one before", at)
		previous = i
	}
	require.True(t, none.time().IsZero())
}

func TestInstantsThatCannotBeHeldAreTheFirstOrTheLast(t *testing.T) {
	now := instantOf(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC))
	for _, beyond := range []int64{1<<63 - 1, 1 << 62, 9_223_372_036_854} { // the last is the latest that microseconds can hold
		require.Greater(t, instantOf(time.Unix(beyond, 0)), now, beyond)
		require.Less(t, instantOf(time.Unix(-beyond, 0)), now, -beyond)
	}
}

func TestInstantIsInUTCAndCutToMicroseconds(t *testing.T) {
	at := time.Date(2030, 1, 2, 3, 4, 5, 1999, time.FixedZone("", 3600))
	require.Equal(t, time.Date(2030, 1, 2, 2, 4, 5, 1000, time.UTC), instantOf(at).time())
}

package benchmarks

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// loop measures one caller.
func loop(b *testing.B, call func(i int) error) {
	b.Helper()
	b.ReportAllocs()
	began := processorTime(b)
	for i := 0; b.Loop(); i++ {
		if err := call(i); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(processorTime(b)-began)/float64(b.N), "cpu-ns/op")
}

// processorTime is how long the process has been on a processor, garbage collection and calls of the system included.
// It is what scripts/compare compares: on a machine that others use too, it strays far less than the time by the clock.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

package main

import (
	"math"
	"slices"
)

// comparison is what Welch's t-test says of two samples.
type comparison struct {
	counts [2]int
	means  [2]float64
	t      float64 // of the first mean less the second
}

// welch computes the t statistic of two samples whose variances may differ (Welch 1947):
// t = (m1 - m2) / sqrt(s1²/n1 + s2²/n2). Each sample has at least two values. Samples without any variance give 0 if
// they are equal, and infinity if they are not.
func welch(a, b []float64) comparison {
	meanA, squaredA := meanAndError(a)
	meanB, squaredB := meanAndError(b)
	c := comparison{counts: [2]int{len(a), len(b)}, means: [2]float64{meanA, meanB}}
	if difference := meanA - meanB; difference != 0 {
		c.t = difference / math.Sqrt(squaredA+squaredB)
	}
	return c
}

// meanAndError returns the mean of a sample, and the square of its standard error.
func meanAndError(sample []float64) (mean, squared float64) {
	n := float64(len(sample))
	for _, x := range sample {
		mean += x / n
	}
	for _, x := range sample {
		squared += (x - mean) * (x - mean)
	}
	return mean, squared / (n - 1) / n
}

// crop leaves out what lies above the given percentile of both samples together. Timings have a long tail that is the
// machine's and not the code's: interrupts, the collector, other processes. The tail swells the variance and hides small
// differences, so dudect tests the cropped samples beside the whole ones (Reparaz, Balasch, Verbauwhede, "Dude, is my
// code constant time?", DATE 2017, section III).
func crop(a, b []float64, percentile float64) (croppedA, croppedB []float64) {
	all := slices.Concat(a, b)
	slices.Sort(all)
	limit := all[int(percentile/100*float64(len(all)-1))]
	return upTo(a, limit), upTo(b, limit)
}

func upTo(sample []float64, limit float64) []float64 {
	kept := make([]float64, 0, len(sample))
	for _, x := range sample {
		if x <= limit {
			kept = append(kept, x)
		}
	}
	return kept
}

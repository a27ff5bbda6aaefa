package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWelchOfNumbersThatCanBeCheckedByHand(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b []float64
		want float64
	}{
		// Means 3 and 5, variances 5/2 and 20/3: -2 / sqrt(1/2 + 5/3).
		{"variances and sizes that differ", []float64{1, 2, 3, 4, 5}, []float64{2, 4, 6, 8}, -2 / math.Sqrt(13.0/6)},
		{"the other way round", []float64{2, 4, 6, 8}, []float64{1, 2, 3, 4, 5}, 2 / math.Sqrt(13.0/6)},
		{"equal means", []float64{1, 3}, []float64{0, 2, 4}, 0},
		{"the same constant", []float64{7, 7, 7}, []float64{7, 7}, 0},
		{"two constants", []float64{8, 8}, []float64{7, 7}, math.Inf(1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := welch(c.a, c.b)
			assert.InDelta(t, 0, difference(got.t, c.want), 1e-12, "%v", got.t)
			assert.Equal(t, [2]int{len(c.a), len(c.b)}, got.counts)
		})
	}
	assert.Equal(t, [2]float64{3, 5}, welch([]float64{1, 2, 3, 4, 5}, []float64{2, 4, 6, 8}).means)
}

// difference is 0 for two equal infinities too.
func difference(a, b float64) float64 {
	if a == b {
		return 0
	}
	return a - b
}

func TestCropTakesTheTailOfBothSamplesAtOneLimit(t *testing.T) {
	// Together they are 1 to 10 and an outlier; the value at percentile 90 of the 11 is the 10th.
	a, b := crop([]float64{10, 1, 2, 3, 4, 1000}, []float64{5, 6, 7, 8, 9}, 90)
	assert.Equal(t, []float64{10, 1, 2, 3, 4}, a)
	assert.Equal(t, []float64{5, 6, 7, 8, 9}, b)
	a, b = crop([]float64{1, 2, 3}, []float64{4, 5, 6}, 100)
	assert.Equal(t, []float64{1, 2, 3}, a)
	assert.Equal(t, []float64{4, 5, 6}, b)
}

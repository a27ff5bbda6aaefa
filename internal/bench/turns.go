package bench

import (
	"slices"
	"testing"
	"time"
)

// Two that take turns can be compared where two runs, one after the other, can't: the speed of a machine that others
// use too, and above all that of its disk, changes from one moment to the next, by more than what is measured.

// TakeTurns lets calls take turns, one each, and returns their medians in nanoseconds. Who begins changes from round to
// round. What prepare does before each round, unless it is nil, is not measured.
func TakeTurns(b *testing.B, prepare func(), calls ...func(i int) error) []float64 {
	b.Helper()
	took := make([][]time.Duration, len(calls))
	for which := range took {
		took[which] = make([]time.Duration, 0, b.N)
	}
	b.ResetTimer()
	for i := range b.N {
		if prepare != nil {
			prepare()
		}
		for turn := range calls {
			which := (i + turn) % len(calls)
			start := time.Now()
			err := calls[which](i)
			took[which] = append(took[which], time.Since(start))
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	medians := make([]float64, len(calls))
	for i := range calls {
		medians[i] = Median(took[i])
	}
	return medians
}

// Compare lets a call and its floor take turns, and reports their medians and the ratio of these.
func Compare(b *testing.B, name string, ours, floor func(i int) error) {
	b.Helper()
	medians := TakeTurns(b, nil, ours, floor)
	b.ReportMetric(medians[0], "ns/"+name)
	b.ReportMetric(medians[1], "ns/floor")
	b.ReportMetric(medians[0]/medians[1], name+"/floor")
}

// Turn is how many calls a [Series] makes in its turn. Calls of less than a microsecond are too short to be timed one
// by one.
const Turn = 1000

// Series is one of two that take turns. Run makes [Turn] calls, of which the first is the one with the given number.
type Series struct {
	Name string
	Run  func(from int)
}

// ByTurns lets the two take turns, and reports the medians of what a call took, and the median of the ratios.
func ByTurns(b *testing.B, ours, floor Series) {
	b.Helper()
	var ourTimes, floors, ratios []float64
	for i := 0; b.Loop(); i += Turn {
		began := time.Now()
		floor.Run(i)
		between := time.Now()
		ours.Run(i)
		ended := time.Now()
		ourTimes = append(ourTimes, float64(ended.Sub(between))/Turn)
		floors = append(floors, float64(between.Sub(began))/Turn)
		ratios = append(ratios, float64(ended.Sub(between))/float64(between.Sub(began)))
	}
	b.ReportMetric(Median(ourTimes), "ns/"+ours.Name)
	b.ReportMetric(Median(floors), "ns/"+floor.Name)
	b.ReportMetric(Median(ratios), ours.Name+"/"+floor.Name)
}

// Median sorts the figures, of which there has to be one, and returns the one in the middle.
func Median[T time.Duration | float64](figures []T) float64 {
	slices.Sort(figures)
	return float64(figures[len(figures)/2])
}

// Package testscale sizes the slow tests: small in every run, in full where somebody asks for it, and smaller still under
// go test -short, which mutation testing uses.
package testscale

import (
	"os"
	"testing"
)

// variable is the environment variable that asks for the full size, with any value.
const variable = "PAT_TEST_FULL"

// Rounds returns how often a test goes round: short, or full where PAT_TEST_FULL is set, or a tenth of short under
// -short. It logs the number, so that the output of go test -v says what was really run.
func Rounds(t testing.TB, short, full int) int {
	t.Helper()
	rounds := short
	switch {
	case os.Getenv(variable) != "":
		rounds = full
	case testing.Short():
		rounds = max(1, short/10)
	}
	t.Logf("%d rounds of %d", rounds, full)
	return rounds
}

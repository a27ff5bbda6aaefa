package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/memory"
)

func TestRunReportsEveryPairOverEveryStore(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-n", "2000", "-tokens", "5"}, &out))
	assert.Equal(t, 3, strings.Count(out.String(), "unknown prefix / wrong secret"))
	assert.Equal(t, 2*3*4, strings.Count(out.String(), "|t| = "))
	assert.NotContains(t, out.String(), "NaN")
}

func TestRunRefusesWhatItCanNotCompare(t *testing.T) {
	for _, args := range [][]string{{"-n", "1"}, {"-tokens", "0"}} {
		assert.Error(t, run(t.Context(), args, new(bytes.Buffer)))
	}
}

// Every value is refused for the reason that its class says, or the comparison would be of something else.
func TestTheClassesAreWhatTheirNamesSay(t *testing.T) {
	issued, err := issue(t.Context(), memory.New(), pat.Config{}, 3)
	require.NoError(t, err)
	v := values{issued}
	for _, matching := range []int{0, 16, 31} {
		for range 100 {
			value := v.wrong(matching)()
			right := issued[prefixOf(issued, value)]
			assert.Equal(t, right[:secretStart+matching], value[:secretStart+matching])
			assert.NotEqual(t, right[secretStart+matching], value[secretStart+matching])
		}
	}
}

func prefixOf(issued []string, value string) int {
	for i, right := range issued {
		if right[:secretStart] == value[:secretStart] {
			return i
		}
	}
	return -1
}

func TestAValueThatIsNotRefusedAsExpectedEndsTheMeasurement(t *testing.T) {
	verifier, err := pat.NewVerifier(memory.New(), pat.Config{})
	require.NoError(t, err)
	wrong := class{"wrong", values{}.unknown, pat.ErrWrongSecret}
	_, err = measure(context.Background(), verifier, [2]class{wrong, wrong}, 1)
	assert.ErrorIs(t, err, errUnexpected)
}

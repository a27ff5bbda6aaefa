package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The program of the README is this one, to the letter.
func TestTheReadmeShowsThisProgram(t *testing.T) {
	program, err := os.ReadFile("main.go")
	require.NoError(t, err)
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	assert.Contains(t, string(readme), "```go\n"+string(program)+"```\n")
}

func TestTheProgramWorks(t *testing.T) {
	t.Chdir(t.TempDir())
	output, err := os.Create("output")
	require.NoError(t, err)
	defer func(stdout *os.File) { os.Stdout = stdout }(os.Stdout)
	os.Stdout = output
	main()
	require.NoError(t, output.Close())
	printed, err := os.ReadFile("output")
	require.NoError(t, err)
	lines := strings.Split(string(printed), "\n")
	require.Len(t, lines, 4)
	assert.Regexp(t, `^hand this to alice, once: pat_[0-9A-Za-z]{12}-[0-9A-Za-z]{38}$`, lines[0])
	assert.Equal(t, "verified: alice laptop <nil>", lines[1])
	assert.Equal(t, "closed: <nil> <nil>", lines[2])
}

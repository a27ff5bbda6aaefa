package main

import (
	"bufio"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheWalkThroughIsPrintedWithTheAddressOfTheServer(t *testing.T) {
	p := start(t, filepath.Join(t.TempDir(), "pat.db"))
	want := walkThrough(p.base)
	assert.Equal(t, want, p.stop(t, syscall.SIGTERM))
	assert.Contains(t, want, "base='"+p.base+"'\n")
	assert.NotContains(t, want, "{base}", "a place was left open")
}

func TestEachStepOfTheWalkThroughSaysWhatItDoesAndCallsTheServer(t *testing.T) {
	const address = "http://127.0.0.1:8080" + base
	introduction, steps, _ := strings.Cut(walkThrough(address), "\n\n")
	assert.Contains(t, introduction, "base='"+address+"'")

	for i, step := range strings.Split(steps, "\n\n") {
		explained, calls, _ := strings.Cut(step, "\n")
		assert.True(t, strings.HasPrefix(explained, fmt.Sprintf("echo; echo '%d. ", i+1)), "step %d: %s", i+1, explained)
		assert.Contains(t, calls, "curl -sS", "step %d calls nothing", i+1)
		lines := bufio.NewScanner(strings.NewReader(calls))
		for lines.Scan() {
			if strings.Contains(lines.Text(), "curl ") {
				assert.Contains(t, lines.Text(), ` "$base/`, "step %d calls something else", i+1)
			}
		}
	}
	assert.Equal(t, 8, strings.Count(steps, "echo; echo '"))
}

func TestTheWalkThroughCallsAnAddressThatCanBeCalled(t *testing.T) {
	tests := []struct{ listening, want string }{
		{"127.0.0.1:8080", "http://127.0.0.1:8080"},
		{"0.0.0.0:80", "http://127.0.0.1:80"},
		{"[::]:80", "http://127.0.0.1:80"},
		{"[::1]:80", "http://[::1]:80"},
		{"192.0.2.7:80", "http://192.0.2.7:80"},
	}
	for _, test := range tests {
		t.Run(test.listening, func(t *testing.T) {
			addr, err := net.ResolveTCPAddr("tcp", test.listening)
			require.NoError(t, err)
			assert.Equal(t, test.want+base, baseURL(addr))
		})
	}
}

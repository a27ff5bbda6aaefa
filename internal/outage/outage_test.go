// Package outage tests what a cache in front of PostgreSQL promises while sessions are killed, the server stops or
// freezes and the network fails: in several processes, which verify all the time. It has tests alone, which stand here
// because they are about several packages at once.
package outage

import (
	"testing"
	"time"

	"github.com/patkit/pat/internal/peer"
)

// The test binary runs itself as another process, a peer that verifies. Its target is a [target], and these are the
// commands of a [verifier].
func TestMain(m *testing.M) {
	w := new(worker)
	peer.Program{Open: w.open, Commands: map[string]func(string) (string, error){
		"admit": w.admit, "watch": w.watch, "look": w.look, "stop": w.stop, "stats": w.stats,
	}}.Main(m)
}

// staleness is the promised bound, D, where a test does not need another one.
const staleness = time.Second

// patience is how long something that has to happen may take: far longer than it does.
const patience = time.Minute

// poll asks again and again until the answer is yes.
func poll(t *testing.T, what string, answer func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.NewTimer(patience)
	defer end.Stop()
	for !answer() {
		select {
		case <-tick.C:
		case <-end.C:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// await waits until a time has come.
func await(at time.Time) { <-time.After(time.Until(at)) }

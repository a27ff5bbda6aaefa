// Package peer lets a test have other processes work on the same store. A test binary runs itself: its TestMain calls
// [Program.Main], and a [Peer] is such a process, which does what this one tells it. Only tests use it.
//
// Commands and answers are lines over pipes. That a peer runs all the time is what lets several of them begin something
// within microseconds.
package peer

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/patkit/pat/internal/contest"
)

// Peer is another process on the same machine. One goroutine at a time may use it.
type Peer struct {
	commands io.Writer
	answers  *bufio.Scanner
}

// Start starts a peer that ends with the test, and has no store before [Peer.Open].
func Start(t testing.TB) *Peer {
	t.Helper()
	cmd := Command(t, peerRole, "")
	cmd.Stdout = nil
	commands, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	// The end of the test is the end of the commands, and no kill: a peer has to close its store without an error.
	cmd.Cancel = func() error { return errors.Join(commands.Close(), os.ErrProcessDone) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Wait(); err != nil {
			t.Errorf("a peer: %v: %s", err, cmd.Stderr)
		}
	})
	p := &Peer{commands: commands, answers: bufio.NewScanner(answers)}
	p.answers.Buffer(nil, 1<<20)
	return p
}

// StartAll starts n peers that have opened the target.
func StartAll(t testing.TB, n int, target string) []*Peer {
	t.Helper()
	peers := make([]*Peer, n)
	for i := range peers {
		peers[i] = Start(t)
		if err := peers[i].Open(target); err != nil {
			t.Fatal(err)
		}
	}
	return peers
}

// Tell sends a command, to be answered later.
func (p *Peer) Tell(command, argument string) error {
	_, err := fmt.Fprintln(p.commands, command, argument)
	return err
}

// Answer waits for the answer to the last command.
func (p *Peer) Answer() (string, error) {
	if !p.answers.Scan() {
		return "", fmt.Errorf("the peer has ended: %w", errors.Join(p.answers.Err(), io.EOF))
	}
	text, failed := strings.CutPrefix(p.answers.Text(), failure)
	if failed {
		return "", fmt.Errorf("peer: %s", text)
	}
	return text, nil
}

// Ask is Tell and Answer.
func (p *Peer) Ask(command, argument string) (string, error) {
	if err := p.Tell(command, argument); err != nil {
		return "", err
	}
	return p.Answer()
}

// Open opens a store in the place of the one before.
func (p *Peer) Open(target string) error {
	_, err := p.Ask("open", target)
	return err
}

// Create creates a token of a user.
func (p *Peer) Create(userID string) (id, value string, err error) {
	created, err := p.Ask("create", userID)
	id, value, _ = strings.Cut(created, " ")
	return id, value, err
}

// Revoke revokes a token, and returns the time of this machine's clock at which that was acknowledged.
func (p *Peer) Revoke(id string) (acknowledged time.Time, err error) { return p.end("revoke", id) }

// RevokeAll is Revoke for all tokens of a user.
func (p *Peer) RevokeAll(userID string) (acknowledged time.Time, err error) {
	return p.end("revoke-all", userID)
}

func (p *Peer) end(command, argument string) (acknowledged time.Time, err error) {
	text, err := p.Ask(command, argument)
	if err != nil {
		return time.Time{}, err
	}
	nanoseconds, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(0, nanoseconds), err
}

// Crowd returns a [contest.Crowd] of n goroutines of the peer.
func (p *Peer) Crowd(n int) contest.Crowd {
	return func(groupID string) ([]string, error) {
		created, err := p.Ask("crowd", fmt.Sprint(n, " ", groupID))
		return strings.Fields(created), err
	}
}

// Storm returns a [contest.Storm] in the peer, which can be started anew once it was ended.
func (p *Peer) Storm() contest.Party { return storm{p} }

type storm struct{ peer *Peer }

func (s storm) Start(id, value string) error {
	_, err := s.peer.Ask("storm", id+" "+value)
	return err
}

func (s storm) End() (report contest.Report, err error) {
	return report, s.peer.report(&report, "end-storm", "")
}

// StartVerifying lets goroutines of the peer verify a value, over and over, and returns when each has done it once.
func (p *Peer) StartVerifying(value string, goroutines int) error {
	_, err := p.Ask("verify", fmt.Sprint(goroutines, " ", value))
	return err
}

// StopVerifying ends what StartVerifying has begun. The times in what it returns are counted from when the revocation was
// acknowledged, in the peer that revoked or in any other process on this machine.
func (p *Peer) StopVerifying(acknowledged time.Time) (seen Verifications, err error) {
	return seen, p.report(&seen, "stop-verifying", strconv.FormatInt(acknowledged.UnixNano(), 10))
}

func (p *Peer) report(to any, command, argument string) error {
	text, err := p.Ask(command, argument)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(text), to)
}

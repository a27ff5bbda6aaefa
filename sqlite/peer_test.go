package sqlite_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/contest"
	"github.com/patkit/pat/sqlite"
)

// peer is another process on the same machine, which works on a database at this one's command. Commands and answers
// are lines. That it runs all the time is what lets several of them begin something within microseconds.
type peer struct {
	commands io.Writer
	answers  *bufio.Scanner
}

// startPeer starts a peer that ends with the test.
func startPeer(t *testing.T) *peer {
	t.Helper()
	cmd := process(t, "serve", "")
	cmd.Stdout = nil
	commands, err := cmd.StdinPipe()
	require.NoError(t, err)
	answers, err := cmd.StdoutPipe()
	require.NoError(t, err)
	// The end of the test is the end of the commands, and no kill: a peer has to close its database without an error.
	cmd.Cancel = func() error { return errors.Join(commands.Close(), os.ErrProcessDone) }
	require.NoError(t, cmd.Start())
	p := &peer{commands: commands, answers: bufio.NewScanner(answers)}
	p.answers.Buffer(nil, 1<<20)
	t.Cleanup(func() {
		assert.NoError(t, cmd.Wait(), "%s", cmd.Stderr)
	})
	return p
}

// startPeers starts n peers that have opened the database at path.
func startPeers(t *testing.T, n int, path string) []*peer {
	t.Helper()
	peers := make([]*peer, n)
	for i := range peers {
		peers[i] = startPeer(t)
		_, err := peers[i].ask("open", path)
		require.NoError(t, err)
	}
	return peers
}

// tell sends a command, to be answered later.
func (p *peer) tell(command, argument string) error {
	_, err := fmt.Fprintln(p.commands, command, argument)
	return err
}

// answer waits for the answer to the last command.
func (p *peer) answer() (string, error) {
	if !p.answers.Scan() {
		return "", fmt.Errorf("the peer has ended: %w", p.answers.Err())
	}
	text, failed := strings.CutPrefix(p.answers.Text(), "failed: ")
	if failed {
		return "", fmt.Errorf("peer: %s", text)
	}
	return text, nil
}

func (p *peer) ask(command, argument string) (string, error) {
	if err := p.tell(command, argument); err != nil {
		return "", err
	}
	return p.answer()
}

// serve is what a peer does, until there are no more commands.
func serve() {
	s := &server{}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		command, argument, _ := strings.Cut(lines.Text(), " ")
		answer, err := s.do(command, argument)
		if err != nil {
			answer = "failed: " + strings.ReplaceAll(err.Error(), "\n", "; ")
		}
		fmt.Println(answer)
	}
	must(s.close())
}

// server is a peer's side of the conversation.
type server struct {
	store  *sqlite.Store
	issuer *pat.Issuer
	crowd  contest.Crowd
	storm  *contest.Storm
}

func (s *server) close() error {
	if s.store == nil {
		return nil
	}
	return s.store.Close()
}

func (s *server) do(command, argument string) (string, error) {
	switch command {
	case "open":
		return "", s.open(argument)
	case "schema":
		return schema(argument)
	case "create":
		return s.create(argument)
	case "crowd":
		created, err := s.crowd(argument)
		return strings.Join(created, " "), err
	case "revoke":
		_, err := s.issuer.Revoke(ctx, argument)
		return "", err
	case "revoke-all":
		_, err := s.issuer.RevokeAll(ctx, pat.Owner{UserID: argument})
		return "", err
	case "start":
		id, value, _ := strings.Cut(argument, " ")
		storm, err := contest.NewStorm(s.store)
		if err != nil {
			return "", err
		}
		s.storm = storm
		return "", storm.Start(id, value)
	case "end":
		report, err := s.storm.End()
		if err != nil {
			return "", err
		}
		text, err := json.Marshal(report)
		return string(text), err
	}
	return "", fmt.Errorf("unknown command %q", command)
}

// crowdSize is how many goroutines of a peer create at once.
const crowdSize = 50

// open opens a database in the place of the one before.
func (s *server) open(path string) error {
	if err := s.close(); err != nil {
		return err
	}
	var err error
	if s.store, err = sqlite.Open(path); err != nil {
		return err
	}
	if s.issuer, err = pat.NewIssuer(s.store, pat.Config{}); err != nil {
		return err
	}
	s.crowd, err = contest.NewCrowd(s.store, crowdSize)
	return err
}

// create creates a token of a user and returns its id and value.
func (s *server) create(user string) (string, error) {
	issued, err := s.issuer.Create(ctx, pat.CreateParams{UserID: user, GroupID: "group", Name: "name"})
	if err != nil {
		return "", err
	}
	return issued.Token.ID + " " + issued.Value.Reveal(), nil
}

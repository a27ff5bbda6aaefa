package peer

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/contest"
)

// failure begins an answer that is an error.
const failure = "failed: "

// ctx is what all calls get. It can't end, because a call that hangs is shown best by the stacks that go test prints
// at its time limit.
var ctx = context.Background()

// serve is what a peer does, until there are no more commands.
func (p Program) serve() {
	s := &server{program: p, closeStore: func() error { return nil }}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		command, argument, _ := strings.Cut(lines.Text(), " ")
		answer, err := s.do(command, argument)
		if err != nil {
			answer = failure + strings.ReplaceAll(err.Error(), "\n", "; ")
		}
		_, err = fmt.Fprintln(os.Stdout, answer)
		Must(err)
	}
	Must(errors.Join(lines.Err(), s.closeStore()))
}

// server is a peer's side of the conversation.
type server struct {
	program    Program
	store      pat.Store
	closeStore func() error
	issuer     *pat.Issuer
	storm      *contest.Storm
	verifying  *verifying
}

func (s *server) do(command, argument string) (string, error) {
	switch command {
	case "open":
		return "", s.open(argument)
	case "create":
		return s.create(argument)
	case "revoke":
		_, err := s.issuer.Revoke(ctx, argument)
		return now(), err
	case "revoke-all":
		_, err := s.issuer.RevokeAll(ctx, pat.Owner{UserID: argument})
		return now(), err
	case "crowd":
		return s.crowd(argument)
	case "storm":
		return "", s.startStorm(argument)
	case "end-storm":
		return inJSON(s.storm.End())
	case "verify":
		return "", s.verify(argument)
	case "stop-verifying":
		return s.stopVerifying(argument)
	}
	if do := s.program.Commands[command]; do != nil {
		return do(argument)
	}
	return "", fmt.Errorf("unknown command %q", command)
}

// open opens a store in the place of the one before.
func (s *server) open(target string) error {
	if err := s.closeStore(); err != nil {
		return err
	}
	s.closeStore = func() error { return nil }
	store, closeStore, err := s.program.Open(target)
	if err != nil {
		return err
	}
	s.store, s.closeStore = store, closeStore
	s.issuer, err = pat.NewIssuer(store, pat.Config{})
	return err
}

// create creates a token of a user and returns its id and value.
func (s *server) create(userID string) (string, error) {
	issued, err := s.issuer.Create(ctx, pat.CreateParams{UserID: userID, GroupID: "group", Name: "name"})
	if err != nil {
		return "", err
	}
	return issued.Token.ID + " " + issued.Value.Reveal(), nil
}

// crowd lets so many goroutines create a token for a group, and returns the ids.
func (s *server) crowd(argument string) (string, error) {
	n, groupID, err := counted(argument)
	if err != nil {
		return "", err
	}
	crowd, err := contest.NewCrowd(s.store, n)
	if err != nil {
		return "", err
	}
	created, err := crowd(groupID)
	return strings.Join(created, " "), err
}

func (s *server) startStorm(argument string) error {
	id, value, _ := strings.Cut(argument, " ")
	storm, err := contest.NewStorm(s.store)
	if err != nil {
		return err
	}
	s.storm = storm
	return storm.Start(id, value)
}

func (s *server) verify(argument string) error {
	goroutines, value, err := counted(argument)
	if err != nil {
		return err
	}
	s.verifying, err = startVerifying(s.store, value, goroutines)
	return err
}

func (s *server) stopVerifying(argument string) (string, error) {
	acknowledged, err := strconv.ParseInt(argument, 10, 64)
	if err != nil {
		return "", err
	}
	return inJSON(s.verifying.stop(acknowledged))
}

// counted takes an argument apart that is a number and a text.
func counted(argument string) (n int, text string, err error) {
	number, text, _ := strings.Cut(argument, " ")
	n, err = strconv.Atoi(number)
	return n, text, err
}

// now is the machine's time in nanoseconds. Processes can compare it, which they can't their monotonic times.
func now() string { return strconv.FormatInt(time.Now().UnixNano(), 10) }

func inJSON(value any, err error) (string, error) {
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(value)
	return string(text), err
}

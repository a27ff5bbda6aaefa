package peer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/peer"
	"github.com/patkit/pat/memory"
)

// The target of these peers is how their store in memory behaves.
func TestMain(m *testing.M) {
	var opened *store
	peer.Program{
		Open: func(target string) (pat.Store, func() error, error) {
			closed := func() error { return nil }
			switch target {
			case "none":
				return nil, nil, errors.New("there is\nno store")
			case "does not close":
				closed = func() error { return errors.New("the store does not close") }
			}
			opened = &store{Store: memory.New(), target: target, reads: make(chan struct{})}
			return opened, closed, nil
		},
		Commands: map[string]func(string) (string, error){
			"reverse": func(text string) (string, error) {
				words := strings.Fields(text)
				return words[1] + " " + words[0], nil
			},
			// more than there are goroutines that may have been in a verification already
			"wait-for-verifications": func(string) (string, error) {
				for range 10 {
					opened.reads <- struct{}{}
				}
				return "", nil
			},
		},
		Roles: map[string]func(string){
			"echo": func(task string) { fmt.Println("task:", task) },
			"fail": func(task string) { peer.Must(errors.New(task)) },
		},
	}.Main(m)
}

// store is a store which, once a token was revoked, still gives it unrevoked, or can't be read, or has none, as the
// target says. It lets those who wait for reads know of them.
type store struct {
	*memory.Store
	target string
	reads  chan struct{}
	mu     sync.Mutex
	last   pat.Record
	gone   bool
}

func (s *store) FindByPrefix(ctx context.Context, prefix string) (pat.Record, error) {
	select {
	case <-s.reads:
	default:
	}
	rec, err := s.Store.FindByPrefix(ctx, prefix)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.target == "down" && s.gone:
		return pat.Record{}, errors.New("the store is down")
	case s.target == "forgets" && s.gone:
		return pat.Record{}, pat.ErrNotFound
	case s.target == "late" && s.gone:
		return s.last, nil
	case err == nil && !rec.Token.Revoked(): // which may be known here before Revoke has returned
		s.last = rec
	}
	return rec, err
}

func (s *store) Revoke(ctx context.Context, id string, at time.Time) (pat.Token, bool, error) {
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.gone = true
	}()
	return s.Store.Revoke(ctx, id, at)
}

func TestAPeerAnswersOneCommandAfterTheOther(t *testing.T) {
	p := peer.Start(t)
	require.NoError(t, p.Open("plain"))
	answer, err := p.Ask("reverse", "one two")
	require.NoError(t, err)
	assert.Equal(t, "two one", answer)
	_, err = p.Ask("unheard-of", "")
	require.EqualError(t, err, `peer: unknown command "unheard-of"`)
	require.EqualError(t, p.Open("none"), "peer: there is; no store")
	require.NoError(t, p.Open("plain"), "after the failure")
}

func TestEachPeerHasAStoreOfItsOwn(t *testing.T) {
	peers := peer.StartAll(t, 2, "plain")
	id, value, err := peers[0].Create("user")
	require.NoError(t, err)
	assert.Regexp(t, "^pat_", value)
	_, err = peers[1].Revoke(id)
	require.Error(t, err, "another process does not know the token")
	before := time.Now()
	acknowledged, err := peers[0].Revoke(id)
	require.NoError(t, err)
	assert.WithinRange(t, acknowledged, before.Round(0), time.Now().Round(0))
}

func TestACrowdIsOfTheSizeAskedForAndKeepsTheLimit(t *testing.T) {
	p := peer.StartAll(t, 1, "plain")[0]
	few, err := p.Crowd(3)("group of few")
	require.NoError(t, err)
	assert.Len(t, few, 3)
	many, err := p.Crowd(50)("group")
	require.NoError(t, err)
	assert.Len(t, many, 10, "the limit of every crowd")
}

func TestAStormInAPeerReportsWhatItHasSeen(t *testing.T) {
	p := peer.StartAll(t, 1, "plain")[0]
	party := p.Storm()
	for range 2 { // a peer can have one after the other
		id, value, err := p.Create("user")
		require.NoError(t, err)
		require.NoError(t, party.Start(id, value))
		_, err = p.Revoke(id)
		require.NoError(t, err)
		report, err := party.End()
		require.NoError(t, err)
		t.Log(report)
		assert.Positive(t, report.Before)
		assert.Positive(t, report.After)
		assert.False(t, report.RevokedAt.IsZero())
	}
}

// verifyAcross has a peer with a store that behaves in some way verify a token before and after it is revoked.
func verifyAcross(t *testing.T, target string) (peer.Verifications, error) {
	t.Helper()
	p := peer.StartAll(t, 1, target)[0]
	id, value, err := p.Create("user")
	require.NoError(t, err)
	require.NoError(t, p.StartVerifying(value, 2))
	acknowledged, err := p.Revoke(id)
	require.NoError(t, err)
	_, err = p.Ask("wait-for-verifications", "")
	require.NoError(t, err)
	return p.StopVerifying(acknowledged)
}

func TestVerificationsAreSortedByTheTimeOfTheAcknowledgement(t *testing.T) {
	seen, err := verifyAcross(t, "plain")
	require.NoError(t, err)
	t.Log(seen)
	assert.Positive(t, seen.Before)
	assert.Positive(t, seen.After)
	assert.Zero(t, seen.Late)
	assert.Zero(t, seen.LastStart)
	assert.Zero(t, seen.Failed)
}

func TestVerificationsThatSucceedTooLateAreCounted(t *testing.T) {
	seen, err := verifyAcross(t, "late")
	require.NoError(t, err)
	t.Log(seen, seen.LastStart)
	assert.Positive(t, seen.Late)
	assert.Equal(t, seen.After, seen.Late)
	assert.Positive(t, seen.LastStart)
}

func TestVerificationsThatCouldNotBeAnsweredAreNoRefusals(t *testing.T) {
	seen, err := verifyAcross(t, "down")
	require.NoError(t, err)
	assert.Positive(t, seen.Failed)
	assert.Contains(t, seen.Failure, "the store is down")
}

func TestATokenThatIsForgottenIsAnError(t *testing.T) {
	_, err := verifyAcross(t, "forgets")
	require.ErrorContains(t, err, "verify: ")
}

func TestAPeerThatEndsBadlyFailsItsTest(t *testing.T) {
	failing := &failing{TB: t}
	p := peer.Start(failing)
	require.NoError(t, p.Open("does not close"))
	failing.end()
	assert.Contains(t, failing.said, "the store does not close")
}

// failing is a test that keeps what it fails with, and ends when it is told to.
type failing struct {
	testing.TB
	ctx     context.Context //nolint:containedctx // that of a test
	cancel  func()
	cleanup func()
	said    string
}

func (f *failing) Context() context.Context {
	if f.ctx == nil {
		f.ctx, f.cancel = context.WithCancel(f.TB.Context())
	}
	return f.ctx
}

func (f *failing) Cleanup(do func())                 { f.cleanup = do }
func (f *failing) Errorf(format string, args ...any) { f.said += fmt.Sprintf(format, args...) }

func (f *failing) end() {
	f.cancel()
	f.cleanup()
}

func TestAProcessPlaysItsRole(t *testing.T) {
	echo := peer.Command(t, "echo", "a:b c")
	require.NoError(t, echo.Run())
	assert.Equal(t, "task: a:b c", peer.Output(echo))
	fail := peer.Command(t, "fail", "no luck")
	require.Error(t, fail.Run())
	assert.Equal(t, "failed: no luck", peer.Output(fail))
	missing := peer.Command(t, "unheard-of", "")
	require.Error(t, missing.Run())
	assert.Equal(t, "failed: no such role: unheard-of", peer.Output(missing))
}

func TestDelaysAreSummedUpByTheirPercentiles(t *testing.T) {
	var delays peer.Delays
	assert.Equal(t, "p50 0s, p99 0s, max 0s of 0", delays.String())
	for n := range 200 {
		delays = append(delays, time.Duration(200-n)*time.Millisecond)
	}
	assert.Equal(t, "p50 100ms, p99 198ms, max 200ms of 200", delays.String())
	assert.Equal(t, 200*time.Millisecond, delays[0], "in the order in which they came")
	assert.Equal(t, "p50 2ns, p99 3ns, max 3ns of 3", peer.Delays{3, 1, 2}.String())
	assert.Equal(t, "p50 7ns, p99 7ns, max 7ns of 1", peer.Delays{7}.String())
}

package pat_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/memory"
	"github.com/patkit/pat/storetest"
)

// clock is a clock that stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

// newClock starts at a time that has a zone, a monotonic-free nanosecond part and is not UTC, as a host's may be.
func newClock() *clock {
	return &clock{now: time.Date(2026, 3, 1, 13, 0, 0, 123456789, time.FixedZone("CET", 3600))}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// stamp is the clock's time as tokens have it.
func (c *clock) stamp() time.Time { return c.Now().UTC().Truncate(time.Microsecond) }

// fakeStore is a Store some of whose methods a test can replace. What it does not replace goes to house.faults.
type fakeStore struct {
	pat.Store
	findByPrefix  func(context.Context, string) (pat.Record, error)
	insert        func(context.Context, pat.Record, int) error
	replaceDigest func(context.Context, string, pat.Digest, pat.Digest) (bool, error)

	mu    sync.Mutex
	touch func(context.Context, []pat.Use) error
}

func (s *fakeStore) FindByPrefix(ctx context.Context, prefix string) (pat.Record, error) {
	if s.findByPrefix != nil {
		return s.findByPrefix(ctx, prefix)
	}
	return s.Store.FindByPrefix(ctx, prefix)
}

func (s *fakeStore) Insert(ctx context.Context, rec pat.Record, limit int) error {
	if s.insert != nil {
		return s.insert(ctx, rec, limit)
	}
	return s.Store.Insert(ctx, rec, limit)
}

func (s *fakeStore) Touch(ctx context.Context, uses []pat.Use) error {
	s.mu.Lock()
	touch := s.touch
	s.mu.Unlock()
	if touch != nil {
		return touch(ctx, uses)
	}
	return s.Store.Touch(ctx, uses)
}

func (s *fakeStore) ReplaceDigest(ctx context.Context, prefix string, old, next pat.Digest) (bool, error) {
	if s.replaceDigest != nil {
		return s.replaceDigest(ctx, prefix, old, next)
	}
	return s.Store.ReplaceDigest(ctx, prefix, old, next)
}

// onTouch replaces Touch, also while the Verifier writes in the background. Nil brings the real one back.
func (s *fakeStore) onTouch(touch func(context.Context, []pat.Use) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.touch = touch
}

// house is an Issuer and a Verifier over one memory store.
type house struct {
	*pat.Issuer
	*pat.Verifier
	store  *fakeStore
	faults *storetest.Faulty
	clock  *clock
}

// counts returns how many look-ups of a verification and how many writes there were, since the last fault was
// injected.
func (h *house) counts() (lookups, writes int) {
	for _, method := range h.faults.Calls() {
		switch method {
		case "FindByPrefix":
			lookups++
		case "FindByID", "List":
		default:
			writes++
		}
	}
	return lookups, writes
}

func newHouse(t testing.TB, cfg pat.Config) *house {
	t.Helper()
	faults := storetest.NewFaulty(memory.New())
	h := &house{store: &fakeStore{Store: faults}, faults: faults, clock: newClock()}
	if cfg.Now == nil {
		cfg.Now = h.clock.Now
	}
	h.open(t, cfg)
	return h
}

// open makes the Issuer and the Verifier anew, with another Config, over the same store.
func (h *house) open(t testing.TB, cfg pat.Config) {
	t.Helper()
	if cfg.Now == nil {
		cfg.Now = h.clock.Now
	}
	var err error
	h.Issuer, err = pat.NewIssuer(h.store, cfg)
	require.NoError(t, err)
	h.Verifier, err = pat.NewVerifier(h.store, cfg)
	require.NoError(t, err)
	verifier := h.Verifier
	t.Cleanup(func() { _ = verifier.Close(context.Background()) })
}

// create makes a token and returns it with its value.
func (h *house) create(t testing.TB, change ...func(*pat.CreateParams)) (pat.Token, string) {
	t.Helper()
	params := pat.CreateParams{UserID: "alice", GroupID: "1", Name: "deploy"}
	for _, c := range change {
		c(&params)
	}
	issued, err := h.Create(t.Context(), params)
	require.NoError(t, err)
	return issued.Token, issued.Value.Reveal()
}

// cancelled returns a context that is done.
func cancelled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

var errDown = errors.New("the store is down")

// recorder collects events.
type recorder struct {
	mu     sync.Mutex
	events []pat.Event
}

func (r *recorder) OnEvent(_ context.Context, e pat.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *recorder) take() []pat.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.events
	r.events = nil
	return taken
}

func requireArgument(t *testing.T, err error, argument string) {
	t.Helper()
	var a *pat.ArgumentError
	require.ErrorAs(t, err, &a)
	require.ErrorIs(t, err, pat.ErrInvalidArgument)
	require.Equal(t, argument, a.Argument)
}

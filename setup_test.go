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

// fakeStore is a Store whose methods a test can replace, and which counts look-ups.
type fakeStore struct {
	pat.Store
	findByPrefix  func(context.Context, string) (pat.Record, error)
	insert        func(context.Context, pat.Record, int) error
	touch         func(context.Context, []pat.Use) error
	replaceDigest func(context.Context, string, pat.Digest, pat.Digest) (bool, error)
	failure       error // of every method, if set

	mu      sync.Mutex
	lookups int
	writes  int
}

func (s *fakeStore) FindByPrefix(ctx context.Context, prefix string) (pat.Record, error) {
	s.mu.Lock()
	s.lookups++
	s.mu.Unlock()
	if s.findByPrefix != nil {
		return s.findByPrefix(ctx, prefix)
	}
	if s.failure != nil {
		return pat.Record{}, s.failure
	}
	return s.Store.FindByPrefix(ctx, prefix)
}

func (s *fakeStore) Insert(ctx context.Context, rec pat.Record, limit int) error {
	if s.insert != nil {
		return s.insert(ctx, rec, limit)
	}
	return s.writing(func() error { return s.Store.Insert(ctx, rec, limit) })
}

func (s *fakeStore) FindByID(ctx context.Context, id string) (pat.Token, error) {
	if s.failure != nil {
		return pat.Token{}, s.failure
	}
	return s.Store.FindByID(ctx, id)
}

func (s *fakeStore) List(ctx context.Context, query pat.ListQuery) ([]pat.Token, error) {
	if s.failure != nil {
		return nil, s.failure
	}
	return s.Store.List(ctx, query)
}

func (s *fakeStore) Rotate(ctx context.Context, rotation pat.Rotation) error {
	return s.writing(func() error { return s.Store.Rotate(ctx, rotation) })
}

func (s *fakeStore) Revoke(ctx context.Context, id string, at time.Time) (tok pat.Token, changed bool, err error) {
	err = s.writing(func() error {
		tok, changed, err = s.Store.Revoke(ctx, id, at)
		return err
	})
	return tok, changed, err
}

func (s *fakeStore) RevokeAll(ctx context.Context, owner pat.Owner, at time.Time) (revoked []pat.Token, err error) {
	err = s.writing(func() error {
		revoked, err = s.Store.RevokeAll(ctx, owner, at)
		return err
	})
	return revoked, err
}

func (s *fakeStore) Touch(ctx context.Context, uses []pat.Use) error {
	s.mu.Lock()
	touch := s.touch
	s.mu.Unlock()
	if touch != nil {
		return touch(ctx, uses)
	}
	return s.writing(func() error { return s.Store.Touch(ctx, uses) })
}

func (s *fakeStore) ReplaceDigest(ctx context.Context, prefix string, old, next pat.Digest) (done bool, err error) {
	if s.replaceDigest != nil {
		return s.replaceDigest(ctx, prefix, old, next)
	}
	err = s.writing(func() error {
		done, err = s.Store.ReplaceDigest(ctx, prefix, old, next)
		return err
	})
	return done, err
}

func (s *fakeStore) Purge(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = s.writing(func() error {
		n, err = s.Store.Purge(ctx, before, limit)
		return err
	})
	return n, err
}

func (s *fakeStore) writing(do func() error) error {
	s.mu.Lock()
	s.writes++
	s.mu.Unlock()
	if s.failure != nil {
		return s.failure
	}
	return do()
}

// onTouch replaces Touch, also while the Verifier writes in the background. Nil brings the real one back.
func (s *fakeStore) onTouch(touch func(context.Context, []pat.Use) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.touch = touch
}

func (s *fakeStore) counts() (lookups, writes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lookups, s.writes
}

// house is an Issuer and a Verifier over one memory store.
type house struct {
	*pat.Issuer
	*pat.Verifier
	store *fakeStore
	clock *clock
}

func newHouse(t testing.TB, cfg pat.Config) *house {
	t.Helper()
	h := &house{store: &fakeStore{Store: memory.New()}, clock: newClock()}
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

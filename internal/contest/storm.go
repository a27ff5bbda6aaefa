package contest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patkit/pat"
)

// Party takes part in the work on a token, in this process or in another one.
type Party interface {
	// Start begins to work on a token, and returns once it was verified and written to.
	Start(id, value string) error
	// End says that the revocation was acknowledged. It returns when the work has ended, which goes on a little, and
	// with an error if a promise did not hold.
	End() (Report, error)
}

// Report is what a party has seen.
type Report struct {
	// Before and After count the verifications that started before and after the revocation was acknowledged.
	Before, After int
	// RevokedAt is the one time of revocation that was seen, or zero if none was.
	RevokedAt time.Time
	// Rotated counts the rotations, and Gone the rounds in which the token was found absent.
	Rotated, Gone int
}

// Plus adds up the counts. RevokedAt stays that of r.
func (r Report) Plus(other Report) Report {
	r.Before += other.Before
	r.After += other.After
	r.Rotated += other.Rotated
	r.Gone += other.Gone
	return r
}

// String returns the counts.
func (r Report) String() string {
	return fmt.Sprintf("%d verifications started before the acknowledged revocation and %d after it; %d rotations; %d tokens found purged",
		r.Before, r.After, r.Rotated, r.Gone)
}

// Storm is a [Party]. Its goroutines verify a token with Verifiers that write its last use and replace its digest, each
// in another direction, rotate it, and watch its metadata.
type Storm struct {
	store      pat.Store
	issuer     *pat.Issuer
	id, value  string
	ended      chan struct{}
	goroutines sync.WaitGroup

	before, after atomic.Int64
	rotated, gone atomic.Bool // a token is rotated once
	revokedAt     time.Time   // of the goroutine that watches, as long as it runs
	mu            sync.Mutex
	failed        error
}

// NewStorm returns a Storm over the store, for one token.
func NewStorm(store pat.Store) (*Storm, error) {
	issuer, err := pat.NewIssuer(store, issuing())
	return &Storm{store: store, issuer: issuer, ended: make(chan struct{})}, err
}

// Start implements [Party].
func (s *Storm) Start(id, value string) error {
	s.id, s.value = id, value
	var underWay sync.WaitGroup
	for _, work := range []func(begun func()) error{
		s.repeatedly(func(after bool) error { return s.use(issuing(), after) }),
		s.repeatedly(func(after bool) error { return s.use(replacing(), after) }),
		s.repeatedly(s.watchAndRotate),
		s.useBeforeAndWriteAfter,
	} {
		underWay.Add(1)
		s.goroutines.Go(func() {
			begun := sync.OnceFunc(underWay.Done)
			defer begun()
			if err := work(begun); err != nil {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.failed = errors.Join(s.failed, err)
			}
		})
	}
	underWay.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// End implements [Party].
func (s *Storm) End() (Report, error) {
	close(s.ended)
	s.goroutines.Wait()
	report := Report{Before: int(s.before.Load()), After: int(s.after.Load()), RevokedAt: s.revokedAt}
	if s.rotated.Load() {
		report.Rotated = 1
	}
	if s.gone.Load() {
		report.Gone = 1
	}
	return report, s.failed
}

// maxTurns is how often something is done to a token before the end, so that who is to end it is not crowded out for
// long: a database's lock that processes share is not handed on in turn.
const maxTurns = 16

// repeatedly takes turns until two of them have begun after the end.
func (s *Storm) repeatedly(turn func(after bool) error) func(begun func()) error {
	return func(begun func()) error {
		for n := 0; n < maxTurns && !s.isEnded(); n++ {
			if err := turn(false); err != nil {
				return err
			}
			begun()
			runtime.Gosched() // or who is to end it would have to wait until this goroutine is interrupted
		}
		<-s.ended
		if err := turn(true); err != nil {
			return err
		}
		return turn(true) // after what the first one wrote
	}
}

func (s *Storm) isEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

func (s *Storm) use(cfg pat.Config, after bool) error {
	return s.judge(verifyOnce(s.store, cfg, s.value), after)
}

// judge says whether a verification that began before or after the end may have this outcome.
func (s *Storm) judge(err error, after bool) error {
	if after {
		s.after.Add(1)
	} else {
		s.before.Add(1)
	}
	switch {
	case err == nil && !after, errors.Is(err, pat.ErrRevoked):
		return nil
	case errors.Is(err, pat.ErrUnknown):
		s.gone.Store(true)
		return nil
	case err == nil:
		return errors.New("a verification that started after the acknowledged revocation succeeded")
	}
	return fmt.Errorf("verify (after the revocation: %t): %w", after, err)
}

// watchAndRotate rotates now and then, so that some tokens are rotated before they are revoked, some at the same time,
// and some not at all.
func (s *Storm) watchAndRotate(after bool) error {
	if err := s.watch(after); err != nil {
		return err
	}
	if after || rand.N(24) == 0 { //nolint:gosec // nothing secret
		return s.rotate(after)
	}
	return nil
}

// watch sees to it that the token, once revoked, stays so, and with the same time.
func (s *Storm) watch(after bool) error {
	tok, err := s.issuer.Get(ctx, s.id)
	switch {
	case errors.Is(err, pat.ErrNotFound):
		s.gone.Store(true)
		return nil
	case err != nil:
		return fmt.Errorf("get (after the revocation: %t): %w", after, err)
	case after && !tok.Revoked():
		return errors.New("the token was read unrevoked after the acknowledged revocation")
	}
	if s.revokedAt.IsZero() {
		s.revokedAt = tok.RevokedAt
	}
	if !tok.RevokedAt.Equal(s.revokedAt) {
		return fmt.Errorf("the time of revocation changed from %v to %v", s.revokedAt, tok.RevokedAt)
	}
	return nil
}

func (s *Storm) rotate(after bool) error {
	_, err := s.issuer.Rotate(ctx, s.id, pat.RotateParams{Grace: time.Hour})
	switch {
	case err == nil && after:
		return errors.New("a rotation that started after the acknowledged revocation succeeded")
	case err == nil:
		s.rotated.Store(true)
		return nil
	case errors.Is(err, pat.ErrNotFound):
		s.gone.Store(true)
		return nil
	case errors.Is(err, pat.ErrRevoked), errors.Is(err, pat.ErrRotated):
		return nil
	}
	return fmt.Errorf("rotate (after the revocation: %t): %w", after, err)
}

// useBeforeAndWriteAfter uses the token while it is valid, and has the last use and the new digest written after it
// was revoked.
func (s *Storm) useBeforeAndWriteAfter(begun func()) error {
	verifier, err := pat.NewVerifier(s.store, replacing())
	if err != nil {
		return err
	}
	_, err = verifier.Verify(ctx, s.value)
	if err := s.judge(err, false); err != nil {
		return err
	}
	begun()
	<-s.ended
	if err := verifier.Close(ctx); err != nil {
		return fmt.Errorf("write after the revocation: %w", err)
	}
	return s.use(issuing(), true)
}

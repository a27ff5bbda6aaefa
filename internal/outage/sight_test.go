package outage

import (
	"errors"
	"fmt"
	"time"

	"github.com/patkit/pat"
)

// sight is what one process has seen of one token. Its times are in nanoseconds of the machine's wall clock, which is the
// one that processes can compare; 0 is never.
type sight struct {
	// Verified counts the verifications, and Began is when the first one started.
	Verified int
	Began    int64
	// LastValid is when the last one started that succeeded.
	LastValid int64
	// FirstInvalid is when the first one ended that said that the token is not valid.
	FirstInvalid int64
	// Faults counts those that failed otherwise. FirstFault is when the first one ended, and Fault what it said.
	Faults     int
	FirstFault int64
	Fault      string
}

func (s *sight) add(started, ended int64, err error) {
	s.Verified++
	if s.Began == 0 {
		s.Began = started
	}
	switch {
	case err == nil:
		s.LastValid = started
	case errors.Is(err, pat.ErrInvalidToken):
		if s.FirstInvalid == 0 {
			s.FirstInvalid = ended
		}
	default:
		s.Faults++
		if s.FirstFault == 0 {
			s.FirstFault, s.Fault = ended, err.Error()
		}
	}
}

// validFor returns for how long after a time there were verifications that started and succeeded.
func (s *sight) validFor(after time.Time) time.Duration {
	return max(0, time.Duration(s.LastValid-after.UnixNano()))
}

// checkEnded says which promise was broken of a token that was ended.
func (s *sight) checkEnded(e ended, staleness time.Duration) error {
	switch {
	case s.validFor(e.acknowledged) > staleness:
		return fmt.Errorf("%s: a verification that started %v after it was acknowledged succeeded", e.way, s.validFor(e.acknowledged))
	case s.FirstInvalid == 0:
		return fmt.Errorf("%s: it was never felt", e.way)
	case s.FirstInvalid < e.began.UnixNano():
		return fmt.Errorf("%s: the token was refused %v before", e.way, time.Duration(e.began.UnixNano()-s.FirstInvalid))
	}
	return nil
}

// checkKept says which promise was broken of a token that nobody ended.
func (s *sight) checkKept(staleness time.Duration) error {
	switch {
	case s.FirstInvalid != 0:
		return errors.New("a token that nobody ended was refused")
	// It was read after the first verification started, and the lease lasts at least as long from then.
	case s.Faults > 0 && s.FirstFault < s.Began+int64(staleness):
		return fmt.Errorf("a fault within the lease, %v after the first verification: %s", time.Duration(s.FirstFault-s.Began), s.Fault)
	}
	return nil
}

package peer

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/patkit/pat"
)

// Verifications is what the goroutines of a peer have seen of a token that was revoked meanwhile.
type Verifications struct {
	// Before and After count those that started before and after the revocation was acknowledged.
	Before, After int
	// Late counts those that succeeded although they started after it.
	Late int
	// LastStart is how long after the acknowledgement the last one started that succeeded. It is 0 if Late is.
	LastStart time.Duration
	// Failed counts those that said neither that the token is valid nor that it is revoked, because the store could not be
	// asked.
	Failed int
	// Failure is what one of those said.
	Failure string
}

// Plus adds up the counts. LastStart is the later one.
func (v Verifications) Plus(other Verifications) Verifications {
	v.Before += other.Before
	v.After += other.After
	v.Late += other.Late
	v.LastStart = max(v.LastStart, other.LastStart)
	v.Failed += other.Failed
	if v.Failure == "" {
		v.Failure = other.Failure
	}
	return v
}

// String returns the counts.
func (v Verifications) String() string {
	return fmt.Sprintf("%d verifications started before the acknowledged revocation and %d after it, of which %d succeeded; %d could not be answered",
		v.Before, v.After, v.Late, v.Failed)
}

// verifying is goroutines that verify a value until they are told to stop.
type verifying struct {
	verifier   *pat.Verifier
	stopped    chan struct{}
	goroutines sync.WaitGroup
	seen       []record // one for each goroutine
}

// record is what one goroutine has seen. Only when it has ended is it known which verifications were late, so the time at
// which each has started is kept, in Unix nanoseconds.
type record struct {
	valid, revoked []int64
	failed         []int64
	failure        error
	wrong          error // what no store may say
}

// startVerifying returns when each goroutine has verified the value once.
func startVerifying(store pat.Store, value string, goroutines int) (*verifying, error) {
	verifier, err := pat.NewVerifier(store, pat.Config{})
	if err != nil {
		return nil, err
	}
	v := &verifying{verifier: verifier, stopped: make(chan struct{}), seen: make([]record, goroutines)}
	var underWay sync.WaitGroup
	for i := range v.seen {
		underWay.Add(1)
		v.goroutines.Go(func() { v.work(&v.seen[i], value, sync.OnceFunc(underWay.Done)) })
	}
	underWay.Wait()
	return v, nil
}

func (v *verifying) work(seen *record, value string, begun func()) {
	for {
		at := time.Now().UnixNano()
		_, err := v.verifier.Verify(ctx, value)
		switch {
		case err == nil:
			seen.valid = append(seen.valid, at)
		case errors.Is(err, pat.ErrRevoked):
			seen.revoked = append(seen.revoked, at)
		case errors.Is(err, pat.ErrInvalidToken):
			seen.wrong = err
		default:
			seen.failed = append(seen.failed, at)
			seen.failure = err
		}
		begun()
		select {
		case <-v.stopped:
			return
		default:
		}
	}
}

// stop sorts the verifications by whether they started before or after the time, in Unix nanoseconds.
func (v *verifying) stop(acknowledged int64) (total Verifications, err error) {
	close(v.stopped)
	v.goroutines.Wait()
	err = v.verifier.Close(ctx)
	for i := range v.seen {
		if wrong := v.seen[i].wrong; wrong != nil {
			err = errors.Join(err, fmt.Errorf("verify: %w", wrong))
		}
		total = total.Plus(v.seen[i].sorted(acknowledged))
	}
	return total, err
}

func (r *record) sorted(acknowledged int64) (sum Verifications) {
	for _, starts := range [][]int64{r.valid, r.revoked, r.failed} {
		for _, at := range starts {
			if at > acknowledged {
				sum.After++
			} else {
				sum.Before++
			}
		}
	}
	for _, at := range r.valid {
		if at > acknowledged {
			sum.Late++
			sum.LastStart = max(sum.LastStart, time.Duration(at-acknowledged))
		}
	}
	sum.Failed = len(r.failed)
	if r.failure != nil {
		sum.Failure = r.failure.Error()
	}
	return sum
}

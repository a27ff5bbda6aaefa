// Package contest lets many goroutines work on one store at once, through an Issuer and Verifiers, and reports which
// promise of the library did not hold. The tests of the stores use it, also in several processes on one store.
//
// [LastPlace] is about the limit: crowds of creators race for one place. [Revoke] is about the end of a token: parties,
// such as a [Storm], use it and write to it while it is revoked. Both leave the order to chance. [Interleavings] bring
// those orders about that matter most, one by one.
package contest

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/patkit/pat"
)

// ctx is what all calls get. It can't end, because a call that hangs is shown best by the stacks that go test prints
// at its time limit.
var ctx = context.Background()

// config makes new digests with the first of two keys, so that a Verifier replaces those made with the other one, and
// writes every use.
func config(first, second string) pat.Config {
	key := func(id string) pat.PepperKey {
		return pat.PepperKey{ID: id, Key: pat.NewSecret(strings.Repeat(id, 16))}
	}
	return pat.Config{PepperKeys: []pat.PepperKey{key(first), key(second)}, LastUsedInterval: time.Nanosecond}
}

// issuing is the Config with which all tokens of a contest are made.
func issuing() pat.Config { return config("k1", "k2") }

// replacing is the Config of a Verifier that replaces the digests of new tokens.
func replacing() pat.Config { return config("k2", "k1") }

// verifyOnce verifies with a Verifier of its own, whose writes are done when it returns.
func verifyOnce(store pat.Store, cfg pat.Config, value string) error {
	verifier, err := pat.NewVerifier(store, cfg)
	if err != nil {
		return err
	}
	_, err = verifier.Verify(ctx, value)
	if closeErr := verifier.Close(ctx); closeErr != nil {
		return closeErr
	}
	return err
}

// together runs f n times at the same time and returns the errors.
func together(n int, f func() error) []error {
	errs := make([]error, n)
	var ready, done sync.WaitGroup
	ready.Add(n)
	start := make(chan struct{})
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-start
			errs[i] = f()
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return errs
}

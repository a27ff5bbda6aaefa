package sqlite_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/peer"
	"github.com/patkit/pat/internal/testscale"
)

// The tokens verify in this process, over and over, before another process revokes them and while it does. So a reading
// connection that was left in an old snapshot, or anything that was kept of an earlier answer, would show.
func TestNoVerificationSucceedsAfterAnotherProcessHasRevoked(t *testing.T) {
	const perToken = 500
	tokens := testscale.Rounds(t, 20_000, 1_000_000) / perToken
	path := filepath.Join(t.TempDir(), "pat.db")
	verifier, err := pat.NewVerifier(open(t, path), pat.Config{})
	require.NoError(t, err)
	defer func() { require.NoError(t, verifier.Close(t.Context())) }()
	other := peer.StartAll(t, 1, path)[0]
	before, after := 0, 0
	for n := range tokens {
		user := fmt.Sprint("user-", n)
		id, value, err := other.Create(user)
		require.NoError(t, err)
		valid, refused, err := verifyAcross(verifier, value, perToken, func() error {
			var err error
			if n%2 == 0 {
				_, err = other.Revoke(id)
			} else {
				_, err = other.RevokeAll(user)
			}
			return err
		})
		require.NoError(t, err, "token %d", n)
		before += valid
		after += refused
	}
	t.Logf("of %d tokens: %d verifications succeeded before the revocation was acknowledged; %d started after it, and none succeeded",
		tokens, before, after)
}

// verifyAcross verifies a value in several goroutines before, during and after a revocation. It returns how many
// verifications succeeded, and how many were refused that started when the revocation had returned: about as many as
// wanted.
func verifyAcross(verifier *pat.Verifier, value string, wanted int, revoke func() error) (valid, refused int, err error) {
	const goroutines = 4 // as many as there are connections to read with
	var revoked atomic.Bool
	var succeeded, late atomic.Int64
	var underWay, done sync.WaitGroup
	underWay.Add(goroutines)
	errs := make([]error, goroutines)
	for i := range goroutines {
		done.Go(func() {
			begun := sync.OnceFunc(underWay.Done)
			defer begun()
			for left := wanted / goroutines; left > 0; {
				after := revoked.Load()
				_, err := verifier.Verify(ctx, value)
				switch {
				case err == nil && after:
					errs[i] = errors.New("a verification that started after the acknowledged revocation succeeded")
					return
				case err == nil:
					succeeded.Add(1)
				case !errors.Is(err, pat.ErrRevoked):
					errs[i] = err
					return
				}
				if after {
					left--
					late.Add(1)
				}
				begun()
			}
		})
	}
	underWay.Wait()
	err = revoke()
	revoked.Store(true)
	done.Wait()
	return int(succeeded.Load()), int(late.Load()), errors.Join(err, errors.Join(errs...))
}

package benchmarks

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

// verifyPATEveryUse has an interval so short that every verification has a use to record, and measures the writing of
// them all as well. They go out behind the answers in batches of 500, each on disk. So it does less than whoever writes
// each use before the answer: a crash loses those that wait.
func verifyPATEveryUse(b *testing.B) {
	n := largest(b)
	b.Run(name("pat-writes-every-use-in-batches", "sqlite", n), func(b *testing.B) {
		store, valid := inSQLite(b, n)
		shuffle(valid)
		b.Run("callers=one", func(b *testing.B) { everyUse(b, store, valid, 1) })
		b.Run("callers=each-core", func(b *testing.B) { everyUse(b, store, valid, runtime.GOMAXPROCS(0)) })
	})
}

// everyUse measures rounds of verifications, each of which ends when Verifier.Close has written all uses. A round is
// shorter than the queue of a Verifier, 65,536 uses, so that none is dropped, and has no token twice, so that looking
// at the tokens afterwards shows that each use was written.
func everyUse(b *testing.B, store pat.Store, valid []credential, callers int) {
	b.Helper()
	round := min(len(valid), 50_000)
	b.ReportAllocs()
	b.StopTimer()
	b.ResetTimer()
	var onProcessor time.Duration
	next := rand.N(len(valid))
	for done := 0; done < b.N; done += round {
		uses := min(round, b.N-done)
		verifier, err := pat.NewVerifier(store, pat.Config{LastUsedInterval: time.Microsecond})
		require.NoError(b, err)
		s := patSubject(verifier, valid)

		began, before := time.Now().Truncate(time.Microsecond), processorTime(b)
		b.StartTimer()
		verified := s.atOnce(b.Context(), next, next+uses, callers)
		written := verifier.Close(b.Context())
		b.StopTimer()
		onProcessor += processorTime(b) - before

		require.NoError(b, errors.Join(verified, written))
		for ; uses > 0; uses, next = uses-1, next+1 {
			rec, err := store.FindByPrefix(b.Context(), valid[next%len(valid)].value[4:16])
			require.NoError(b, err)
			require.False(b, rec.Token.LastUsedAt.Before(began), "a use was not written")
		}
	}
	b.ReportMetric(float64(onProcessor)/float64(b.N), "cpu-ns/op")
}

// atOnce verifies the tokens with these numbers, shared out among the callers.
func (s *subject) atOnce(ctx context.Context, from, to, callers int) error {
	failed := make([]error, callers)
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for i := from + caller; i < to && failed[caller] == nil; i += callers {
				failed[caller] = s.check(ctx, i)
			}
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

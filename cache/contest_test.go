package cache_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/cache"
	"github.com/patkit/pat/internal/contest"
	"github.com/patkit/pat/internal/testscale"
	"github.com/patkit/pat/memory"
	"github.com/patkit/pat/sqlite"
	"github.com/patkit/pat/storetest"
)

// behind are the stores that the contests put behind a cache, and how much they bear.
var behind = []struct {
	name                    string
	open                    func(t *testing.T) pat.Store
	revocations, lastPlaces [2]int // rounds in every run, and in a full one
}{
	{"memory", func(*testing.T) pat.Store { return memory.New() }, [2]int{100, 30_000}, [2]int{20, 5000}},
	{"sqlite", openSQLite, [2]int{30, 10_000}, [2]int{4, 500}},
}

func openSQLite(t *testing.T) pat.Store {
	s, err := sqlite.Open(":memory:")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// The contests know of no staleness: within one process there is none. The longest lease makes sure of that.
const never = time.Hour

func TestNothingBringsARevokedTokenBack(t *testing.T) {
	for _, b := range behind {
		t.Run(b.name, func(t *testing.T) {
			store := inFrontOf(t, b.open(t), cache.WithMaxStaleness(never))
			var total contest.Report
			for round := range testscale.Rounds(t, b.revocations[0], b.revocations[1]) {
				report, err := contest.Revoke(store, round)
				require.NoError(t, err)
				total = total.Plus(report)
			}
			t.Log(total)
			t.Log(store)
		})
	}
}

func TestOfManyCreatorsOneGetsTheLastPlace(t *testing.T) {
	for _, b := range behind {
		t.Run(b.name, func(t *testing.T) {
			store := inFrontOf(t, b.open(t), cache.WithMaxStaleness(never))
			crowd, err := contest.NewCrowd(store, 200)
			require.NoError(t, err)
			for round := range testscale.Rounds(t, b.lastPlaces[0], b.lastPlaces[1]) {
				require.NoError(t, contest.LastPlace(store, round, crowd))
			}
		})
	}
}

func TestCallsThatOverlapBreakNoPromise(t *testing.T) {
	for _, b := range behind {
		for _, c := range contest.Interleavings() {
			t.Run(b.name+"/"+c.Name, func(t *testing.T) {
				require.NoError(t, c.Run(inFrontOf(t, b.open(t), cache.WithMaxStaleness(never))))
			})
		}
	}
}

// reporting is a store that tells of every change that is made through it, and proves itself alive all the time.
type reporting struct {
	pat.Store
	changes chan string
}

func (r *reporting) Watch(ctx context.Context, _ time.Duration, watcher pat.ChangeWatcher) error {
	for n := 0; ; n++ {
		watcher.Current(time.Now())
		select {
		case prefix := <-r.changes:
			watcher.Changed(prefix)
		case <-ctx.Done():
			return ctx.Err()
		}
		if n%3 == 2 {
			return errDown // now and then it breaks
		}
	}
}

// tell makes room for the latest change, as a feed does that is behind.
func (r *reporting) tell(prefix string) {
	select {
	case r.changes <- prefix:
	default:
	}
}

func (r *reporting) Insert(ctx context.Context, rec pat.Record, limit int) error {
	defer r.tell(rec.Token.Prefix)
	return r.Store.Insert(ctx, rec, limit)
}

func (r *reporting) Rotate(ctx context.Context, rotation pat.Rotation) error {
	defer r.tell("")
	return r.Store.Rotate(ctx, rotation)
}

func (r *reporting) Revoke(ctx context.Context, id string, at time.Time) (pat.Token, bool, error) {
	tok, changed, err := r.Store.Revoke(ctx, id, at)
	r.tell(tok.Prefix)
	return tok, changed, err
}

func (r *reporting) RevokeAll(ctx context.Context, owner pat.Owner, at time.Time) ([]pat.Token, error) {
	defer r.tell("")
	return r.Store.RevokeAll(ctx, owner, at)
}

func (r *reporting) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	defer r.tell("")
	return r.Store.Purge(ctx, before, limit)
}

func TestStoreThatFollowsAFeed(t *testing.T) {
	storetest.Run(t, func(t *testing.T) pat.Store {
		store := inFrontOf(t, &reporting{memory.New(), make(chan string, 1)}, cache.WithMaxStaleness(never))
		follow(t, store)
		return store
	})
}

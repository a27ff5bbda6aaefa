package cache

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

var seed = maphash.MakeSeed()

func entryOf(prefix string) *entry {
	return &entry{rec: pat.Record{Token: pat.Token{Prefix: prefix}}, hash: maphash.String(seed, prefix)}
}

func (t *table) findPrefix(prefix string) *entry { return t.find(maphash.String(seed, prefix), prefix) }

func (t *table) count() (n int) {
	for range t.all() {
		n++
	}
	return n
}

func TestTableHoldsWhatItSaysAndNeverMoreThanItsPlaces(t *testing.T) {
	for entries, places := range map[int]int{1: 7, 7: 7, 8: 14, 50: 56, 10_000: 10_003} {
		table := newTable(entries)
		for n := range 3*places + 100 {
			table.put(entryOf(fmt.Sprint(n)))
		}
		require.Len(t, table.sets, places/ways)
		require.LessOrEqual(t, table.count(), places)
		require.GreaterOrEqual(t, table.count(), places*9/10)
	}
}

func TestTableAgreesWithAMapUnderRandomWrites(t *testing.T) {
	for seed := range uint64(10) {
		random := rand.New(rand.NewPCG(seed, 0))
		table, model := newTable(100), make(map[string]*entry)
		for step := range 5000 {
			prefix := fmt.Sprint(random.IntN(200))
			switch e := model[prefix]; {
			case e == nil:
				model[prefix] = entryOf(prefix)
				if displaced := table.put(model[prefix]); displaced != nil {
					require.Same(t, model[displaced.prefix()], displaced)
					require.NotEqual(t, prefix, displaced.prefix())
					delete(model, displaced.prefix())
				}
			case random.IntN(3) == 0:
				delete(model, prefix)
				table.remove(e)
			default:
				var rec pat.Record
				e.fill(&rec)
			}
			if step%100 == 0 {
				for n := range 200 {
					prefix := fmt.Sprint(n)
					require.Same(t, model[prefix], table.findPrefix(prefix), "%s, step %d, seed %d", prefix, step, seed)
				}
				require.Len(t, model, table.count())
			}
		}
	}
}

func TestTableFindsAmongEqualHashes(t *testing.T) {
	table := newTable(1)
	for _, prefix := range []string{"a", "b", "c"} {
		e := entryOf(prefix)
		e.hash = 0
		table.put(e)
	}
	for _, prefix := range []string{"a", "b", "c"} {
		require.Equal(t, prefix, table.find(0, prefix).prefix())
	}
	require.Nil(t, table.find(0, "d"))
	require.Nil(t, table.find(1<<8, "a"), "another hash with the same tag and in the same set")
}

func TestTableRemovesOnlyTheVeryEntry(t *testing.T) {
	table := newTable(1)
	old, next := entryOf("a"), entryOf("a")
	table.put(old)
	table.remove(old)
	table.put(next)
	table.remove(old)
	require.Same(t, next, table.findPrefix("a"))
}

func TestTableGoesOverItsEntriesUntilToldToStop(t *testing.T) {
	table := newTable(70)
	for n := range 20 {
		table.put(entryOf(fmt.Sprint(n)))
	}
	n := 0
	for range table.all() {
		if n++; n == 5 {
			break
		}
	}
	require.Equal(t, 5, n)
}

// In one set: what is used stays, and of what is not, the one goes first that came first.
func TestASetDisplacesWhatNobodyWantsByTurns(t *testing.T) {
	table := newTable(1)
	use := func(prefix string) {
		var rec pat.Record
		table.findPrefix(prefix).fill(&rec)
	}
	put := func(prefix string) string {
		if displaced := table.put(entryOf(prefix)); displaced != nil {
			return displaced.prefix()
		}
		return ""
	}
	for n := range ways {
		require.Empty(t, put(fmt.Sprint(n)))
	}
	use("0")
	use("2")
	require.Equal(t, []string{"1", "3", "4"}, []string{put("7"), put("8"), put("9")})
	require.Equal(t, []string{"5", "6", "0"}, []string{put("10"), put("11"), put("12")}, "0 was not used since the search came by")
	for e := range table.all() {
		use(e.prefix())
	}
	require.Equal(t, []string{"7", "2"}, []string{put("13"), put("14")}, "if all are wanted, the next one goes")
}

// A scan is a crowd of tokens that are used once, as when a fleet of clients starts.
func TestAScanDisplacesFewOfTheTokensInUse(t *testing.T) {
	const places, inUse, rounds, scan = 7000, 2000, 25, 2000
	lost := func(noted bool) (lost int) {
		table := newTable(places)
		for n := range (rounds + 1) * scan {
			table.put(entryOf(fmt.Sprint("once ", n)))
			if n%scan != 0 {
				continue
			}
			for n := range inUse {
				prefix := fmt.Sprint("in use ", n)
				if e := table.findPrefix(prefix); e != nil {
					e.wanted.Store(noted)
					continue
				}
				lost++
				table.put(entryOf(prefix))
			}
		}
		return lost - inUse // at first
	}
	with, without := lost(true), lost(false)
	t.Logf("%d tokens, each used once while %d others come into %d places: %.1f %% of the uses find the token displaced, and %.1f %% if no use is noted",
		inUse, scan, places, 100*float64(with)/(inUse*rounds), 100*float64(without)/(inUse*rounds))
	require.Less(t, with, inUse*rounds/6)
	require.Greater(t, without, 2*with)
}

func TestTableIsReadWhileEntriesComeAndGo(t *testing.T) {
	table := newTable(1000)
	const stay, churn = 100, 20_000
	for n := range stay {
		table.put(entryOf(fmt.Sprint("stays ", n)))
	}
	var done atomic.Bool
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for n := 0; !done.Load(); n++ {
				for _, prefix := range []string{fmt.Sprint("stays ", n%stay), fmt.Sprint("passing ", n%churn)} {
					var rec pat.Record
					if e := table.findPrefix(prefix); e != nil {
						e.fill(&rec)
						if rec.Token.Prefix != prefix {
							t.Errorf("found %q in the place of %q", rec.Token.Prefix, prefix)
							return
						}
					}
				}
			}
		})
	}
	for n := range churn {
		passing := entryOf(fmt.Sprint("passing ", n))
		table.put(passing)
		table.remove(passing)
	}
	done.Store(true)
	readers.Wait()
	require.Equal(t, stay, table.count())
	for n := range stay {
		require.NotNil(t, table.findPrefix(fmt.Sprint("stays ", n)))
	}
}

package memory

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func newIndex() *index {
	x := new(index)
	x.init(maphash.MakeSeed(), true)
	return x
}

func entryWithID(id string) *entry { return &entry{text: id, idEnd: uint32(len(id))} }

func TestIndexAgreesWithAMapUnderRandomWrites(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 0))
		x, model := newIndex(), make(map[string]*entry)
		for step := range 5000 {
			id := fmt.Sprint(random.IntN(300))
			switch e := model[id]; {
			case e == nil:
				model[id] = entryWithID(id)
				x.add(model[id])
			case random.IntN(2) == 0:
				delete(model, id)
				x.remove(e)
			}
			require.Equal(t, len(model), x.live)
			require.Equal(t, slotsInUse(x), x.used, "or the table would be replaced too late, or at every turn")
			if step%100 == 0 {
				for n := range 300 {
					id := fmt.Sprint(n)
					require.Same(t, model[id], x.find(id), "id %s, step %d, seed %d", id, step, seed)
				}
			}
		}
	}
}

// slotsInUse counts those that hold an entry or the mark of a removed one.
func slotsInUse(x *index) int {
	slots, n := x.table.Load().entries, 0
	for i := range slots {
		if slots[i].Load() != nil {
			n++
		}
	}
	return n
}

func TestIndexFindsAmongEqualHashes(t *testing.T) {
	table := newTable(minSlots)
	x := newIndex()
	x.table.Store(table)
	// Other keys with the hash of the one looked for, as after a collision.
	hash := maphash.String(x.seed, "wanted")
	table.add(hash, entryWithID("other"))
	table.add(hash, gone)
	require.Nil(t, x.find("wanted"))
	wanted := entryWithID("wanted")
	table.add(hash, wanted)
	require.Same(t, wanted, x.find("wanted"))
}

func TestIndexWithoutKeyIsFoundAndRemovedEntryIsNot(t *testing.T) {
	x := newIndex()
	require.Nil(t, x.find(""))
	e := entryWithID("")
	x.add(e)
	require.Same(t, e, x.find(""))
	x.remove(e)
	require.Nil(t, x.find(""), "the mark of a removed entry has an empty id too")
}

func TestIndexStaysSmallWhileEntriesComeAndGo(t *testing.T) {
	x := newIndex()
	for n := range 100_000 {
		e := entryWithID(fmt.Sprint(n))
		x.add(e)
		if n%2 == 0 {
			require.Nil(t, x.find("absent"))
		}
		x.remove(e)
	}
	require.Len(t, x.table.Load().entries, minSlots)
	require.Zero(t, x.live)
}

func TestIndexIsReadWhileItGrowsAndShrinks(t *testing.T) {
	x := newIndex()
	const stay, churn = 100, 3000
	for n := range stay {
		x.add(entryWithID(fmt.Sprint("stays ", n)))
	}
	var written atomic.Int64 // entries "new 0" to "new written-1" are there for good
	var done atomic.Bool
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for n := 0; !done.Load(); n++ {
				id := fmt.Sprint("stays ", n%stay)
				if e := x.find(id); e == nil || e.id() != id {
					t.Errorf("%q is not found while others come and go", id)
					return
				}
				if last := written.Load(); last > 0 && x.find(fmt.Sprint("new ", last-1)) == nil {
					t.Errorf("entry %d is not found after it was added", last-1)
					return
				}
				if e := x.find(fmt.Sprint("passing ", n%churn)); e != nil && e == gone {
					t.Error("the mark of a removed entry was found")
					return
				}
			}
		})
	}
	for n := range churn {
		passing := entryWithID(fmt.Sprint("passing ", n))
		x.add(passing)
		x.add(entryWithID(fmt.Sprint("new ", n)))
		written.Store(int64(n + 1))
		x.remove(passing)
	}
	done.Store(true)
	readers.Wait()
}

package cache

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/testscale"
)

// The proof has to be loaded before the table is searched. The other way round, a reader could find a record, have its
// change applied and proven behind its back, and take that proof for one that the record is still good.
func TestNoProofVouchesForARecordThatItsChangeHasTakenOut(t *testing.T) {
	for range testscale.Rounds(t, 2000, 300_000) {
		store, err := New(down{}, WithMaxEntries(7))
		require.NoError(t, err)
		now := store.clock.now()
		longAgo := instant{now.monotonic - int64(time.Minute), now.wall - int64(time.Minute)}
		rec := numbered(1)
		e := &entry{rec: rec, hash: store.hash(rec.Token.Prefix), read: longAgo, session: 1}
		store.records.put(e)
		store.byID[rec.Token.ID] = e
		store.proven.Store(&proof{session: 1, at: longAgo}) // which vouches for nothing any more

		begin := make(chan struct{})
		var readers sync.WaitGroup
		for range 2 {
			readers.Go(func() {
				<-begin
				for range 30 {
					if _, err := store.FindByPrefix(context.Background(), rec.Token.Prefix); err == nil {
						t.Error("a record was served whose lease had ended when its change became known")
						return
					}
				}
			})
		}
		w := &watcher{store: store, session: 1}
		close(begin)
		w.Changed(rec.Token.Prefix)
		w.Current(time.Now())
		readers.Wait()
	}
}

// down is a store that can't be reached.
type down struct{ pat.Store }

func (down) FindByPrefix(context.Context, string) (pat.Record, error) {
	return pat.Record{}, errors.New("the database is down")
}

// The test above needs luck to see the wrong order, since a reader has to be interrupted between two instructions.
func TestTheProofIsLoadedBeforeTheTableIsSearched(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "read.go", nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	var calls []string
	ast.Inspect(file, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if method, ok := call.Fun.(*ast.SelectorExpr); ok {
				if field, ok := method.X.(*ast.SelectorExpr); ok && (field.Sel.Name == "proven" || field.Sel.Name == "records") {
					calls = append(calls, field.Sel.Name+"."+method.Sel.Name)
				}
			}
		}
		return true
	})
	require.Equal(t, []string{"proven.Load", "records.find"}, calls)
}

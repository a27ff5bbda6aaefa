package sqlite

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/bench"
)

// BenchmarkCreateTogether measures how many tokens a number of callers create per second, each one after the other,
// beside callers who INSERT such a row in a bare transaction each, on one connection: on several they would fail for
// the lock, or wait for it by sleeping.
func BenchmarkCreateTogether(b *testing.B) {
	for _, callers := range []int{1, 2, 4, 8, 16, 32} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) { benchmarkTogether(b, callers) })
	}
}

func benchmarkTogether(b *testing.B, callers int) {
	dir := b.TempDir()
	floorPath := filepath.Join(dir, "floor.db")
	filled, err := Open(floorPath)
	require.NoError(b, err)
	require.NoError(b, filled.Close()) // which has the schema
	store, err := Open(filepath.Join(dir, "ours.db"))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, store.Close()) })
	issuer, err := pat.NewIssuer(store, pat.Config{GroupLimit: 10, Scopes: pat.PublicFullScopes()})
	require.NoError(b, err)
	db := bare(b, floorPath)
	db.SetMaxOpenConns(1)
	stmt := prepareInsert(b, db)
	// They take turns, because the speed of the disk changes from one moment to the next. All turns are whole, so that
	// b.N is rounded up.
	const turn = 50
	turns := (b.N + callers*turn - 1) / (callers * turn)
	records, _ := bench.Records(b, turns*callers*turn)
	rows := bareRows(b, records)
	var took [2][]time.Duration
	var ours, floor atomic.Int64
	b.ResetTimer()
	for range turns {
		for which, call := range []func() error{
			func() error {
				tok := &records[ours.Add(1)-1].Token
				_, err := issuer.Create(b.Context(), pat.CreateParams{UserID: tok.UserID, GroupID: tok.GroupID, Name: tok.Name})
				return err
			},
			func() error {
				return insertBare(b.Context(), db, stmt, rows[floor.Add(1)-1])
			},
		} {
			took[which] = append(took[which], together(b, callers, turn, call))
		}
	}
	perSecond := func(which int) float64 {
		return float64(callers*turn) * float64(time.Second) / bench.Median(took[which])
	}
	b.ReportMetric(perSecond(0), "creates/s")
	b.ReportMetric(perSecond(1), "floor/s")
	b.ReportMetric(perSecond(0)/perSecond(1), "create/floor")
}

// together has each of so many callers call n times, and returns how long that took.
func together(b *testing.B, callers, n int, call func() error) time.Duration {
	b.Helper()
	var done sync.WaitGroup
	errs := make([]error, callers)
	start := time.Now()
	for caller := range callers {
		done.Go(func() {
			for range n {
				if errs[caller] = call(); errs[caller] != nil {
					return
				}
			}
		})
	}
	done.Wait()
	took := time.Since(start)
	for _, err := range errs {
		require.NoError(b, err)
	}
	return took
}

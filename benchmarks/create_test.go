package benchmarks

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/sqlite"
)

// groupLimit is that of the creates, as the documented HTTP API has it.
const groupLimit = 10

// mostCallers is how many create tokens at once, at most.
const mostCallers = 32

// BenchmarkCreate measures how many tokens per second can be created, each of them durable before its caller has the
// answer, by so many callers at once. Callers at once are in different groups, as they mostly are in a service: on
// PostgreSQL those of one group wait for one another, to keep its limit. The hand-written peer is the bare transaction
// with one INSERT of such a row, on the one connection that writes; it does less: it has no limit to keep, and fewer
// indexes.
func BenchmarkCreate(b *testing.B) {
	b.Run("peer=handwritten/store=sqlite", func(b *testing.B) {
		atOnce(b, handwrittenCreator)
	})
	b.Run("peer=pat/store=sqlite", func(b *testing.B) {
		atOnce(b, func(b *testing.B) creator {
			store, err := sqlite.Open(filepath.Join(b.TempDir(), "pat.db"))
			require.NoError(b, err)
			b.Cleanup(func() { require.NoError(b, store.Close()) })
			return patCreator(b, store)
		})
	})
	if url := os.Getenv("PAT_TEST_POSTGRES"); url != "" {
		b.Run("peer=pat/store=postgres", func(b *testing.B) {
			atOnce(b, func(b *testing.B) creator {
				store, _, _ := inPostgres(b, url)
				return patCreator(b, store)
			})
		})
	}
}

// group returns the group of the i-th create. Each gets as many as its limit lets in, and those that follow one another
// are for different ones.
func group(i int) string {
	const apart = 2 * mostCallers
	return fmt.Sprint(i/(groupLimit*apart)*apart + i%apart)
}

// creator makes tokens: create the i-th one, whose value verify then finds.
type creator struct {
	create func(ctx context.Context, i int) (value string, err error)
	verify func(ctx context.Context, value string) (owner string, err error)
}

// atOnce measures a creator with more and more callers. Every token is verified afterwards.
func atOnce(b *testing.B, open func(*testing.B) creator) {
	for callers := 1; callers <= mostCallers; callers *= 2 {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			c := open(b)
			ctx := b.Context()
			values := make([]string, b.N)
			var next atomic.Int64
			var all sync.WaitGroup
			// Before, each makes one in a group of its own, so that there are as many connections.
			for caller := range callers {
				all.Go(func() {
					if _, err := c.create(ctx, -1-caller); err != nil {
						b.Error(err)
					}
				})
			}
			all.Wait()
			b.ResetTimer()
			for range callers {
				all.Go(func() {
					for i := int(next.Add(1)) - 1; i < b.N; i = int(next.Add(1)) - 1 {
						var err error
						if values[i], err = c.create(ctx, i); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
			for i, value := range values {
				found, err := c.verify(ctx, value)
				require.NoError(b, err)
				require.Equal(b, owner(i), found)
			}
		})
	}
}

func patCreator(b *testing.B, store pat.Store) creator {
	b.Helper()
	cfg := pat.Config{GroupLimit: groupLimit, LastUsedInterval: -1}
	issuer, err := pat.NewIssuer(store, cfg)
	require.NoError(b, err)
	verifier, err := pat.NewVerifier(store, cfg)
	require.NoError(b, err)
	return creator{
		create: func(ctx context.Context, i int) (string, error) {
			issued, err := issuer.Create(ctx, pat.CreateParams{
				UserID: owner(i), GroupID: group(i), Name: "deploy", Scopes: []string{"read"},
			})
			return issued.Value.Reveal(), err
		},
		verify: func(ctx context.Context, value string) (string, error) {
			tok, err := verifier.Verify(ctx, value)
			return tok.UserID, err
		},
	}
}

func handwrittenCreator(b *testing.B) creator {
	b.Helper()
	path := filepath.Join(b.TempDir(), "tokens.db")
	db := database(b, path, syncFull)
	db.SetMaxOpenConns(1) // with several, they collide, and some wait in vain
	_, err := db.ExecContext(b.Context(), handwrittenSchema)
	require.NoError(b, err)
	insert, err := db.PrepareContext(b.Context(), insertHandwritten)
	require.NoError(b, err)
	return creator{
		create: func(ctx context.Context, i int) (string, error) {
			value := "tok_" + rand.Text()
			return value, inTransaction(ctx, db, insert, handwrittenRow(value, owner(i), group(i)))
		},
		verify: newHandwritten(b, db, false).verify,
	}
}

func inTransaction(ctx context.Context, db *sql.DB, insert *sql.Stmt, row []any) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if _, err := tx.StmtContext(ctx, insert).ExecContext(ctx, row...); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}

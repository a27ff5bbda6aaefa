package sqlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/bench"
)

// fill adds records in one transaction, so that a benchmark need not wait for as many syncs of the disk.
func fill(b *testing.B, s *Store, records []pat.Record) {
	b.Helper()
	err := s.transact(b.Context(), "fill", func(c *session) error {
		for _, rec := range records {
			row, err := encode(rec)
			require.NoError(b, err)
			require.NoError(b, c.insert(row))
		}
		return nil
	})
	require.NoError(b, err)
}

// copyOf copies a database that nobody has open.
func copyOf(b *testing.B, path string) string {
	b.Helper()
	data, err := os.ReadFile(path)
	require.NoError(b, err)
	copied := filepath.Join(b.TempDir(), "copy.db")
	require.NoError(b, os.WriteFile(copied, data, fileMode)) //nolint:gosec // a path of the benchmark's own
	return copied
}

// BenchmarkVerify compares a verification with a bare prepared SELECT of the same columns by the same key, in a copy of
// the same database of 100,000 tokens: in the same file, the lock that the store keeps would save the SELECT system
// calls too. Each pair of measurements has the same context: one that can end, as every HTTP server hands out, and one
// that can't.
func BenchmarkVerify(b *testing.B) {
	const tokens = 100_000
	records, values := bench.Records(b, tokens)
	path := filepath.Join(b.TempDir(), "pat.db")
	store, err := Open(path)
	require.NoError(b, err)
	fill(b, store, records)
	require.NoError(b, store.Close()) // folds the log into the file
	info, err := os.Stat(path)
	require.NoError(b, err)
	b.Logf("%d bytes on disk per token", info.Size()/tokens)
	copied := copyOf(b, path)

	store, err = Open(path)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, store.Close()) })
	verifier, err := pat.NewVerifier(store, pat.Config{LastUsedInterval: time.Hour}) // nobody's last use is due
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, verifier.Close(context.Background())) })
	floor, err := bare(b, copied).PrepareContext(b.Context(), findByPrefix)
	require.NoError(b, err)
	order := rand.Perm(tokens)

	canEnd, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, with := range []struct {
		name string
		ctx  context.Context //nolint:containedctx // the thing measured
	}{{"context can end", canEnd}, {"background", context.Background()}} {
		b.Run(with.name, func(b *testing.B) {
			verify := func(i int) error {
				return bench.Present(with.ctx, verifier, values[order[i%tokens]])
			}
			bare := func(i int) error {
				return selectBare(with.ctx, floor, records[order[(i+tokens/2)%tokens]].Token.Prefix)
			}
			bench.Compare(b, "verify", verify, bare)
			b.ReportMetric(testing.AllocsPerRun(100, func() { _ = verify(0) }), "allocs/verify")
			b.ReportMetric(testing.AllocsPerRun(100, func() { _ = bare(0) }), "allocs/floor")
		})
	}
}

// BenchmarkCreate compares Issuer.Create, at a limit of 10 tokens per group, with a bare INSERT of such a row in a
// transaction of its own, into another file with the same schema, as durable, and as full.
func BenchmarkCreate(b *testing.B) {
	const held = 100_000
	records, _ := bench.Records(b, held+b.N)
	dir := b.TempDir()
	for _, name := range []string{"ours.db", "floor.db"} {
		filled, err := Open(filepath.Join(dir, name))
		require.NoError(b, err)
		fill(b, filled, records[:held])
		require.NoError(b, filled.Close()) // folds the log into the file
	}
	store, err := Open(filepath.Join(dir, "ours.db"))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, store.Close()) })
	issuer, err := pat.NewIssuer(store, pat.Config{GroupLimit: 10, Scopes: pat.PublicFullScopes()})
	require.NoError(b, err)
	db := bare(b, filepath.Join(dir, "floor.db"))
	db.SetMaxOpenConns(1)
	stmt := prepareInsert(b, db)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for i := range b.N {
		records[held+i].Token.GroupID = fmt.Sprintf("new-%d", i%(b.N/10+1))
	}
	rows := bareRows(b, records[held:])

	bench.Compare(b, "create", func(i int) error {
		tok := records[held+i].Token
		_, err := issuer.Create(ctx, pat.CreateParams{UserID: tok.UserID, GroupID: tok.GroupID, Name: tok.Name})
		return err
	}, func(i int) error {
		return insertBare(ctx, db, stmt, rows[i])
	})
}

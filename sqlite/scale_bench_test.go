package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/bench"
	"github.com/patkit/pat/internal/testscale"
)

// BenchmarkScale measures verifications, creations at the limit and pages of a list in databases of 10^3 to 10^7
// tokens, and their bytes on disk. Those above 10^4 take minutes to fill, and need PAT_TEST_FULL.
func BenchmarkScale(b *testing.B) {
	most := testscale.Rounds(b, 10_000, 10_000_000)
	for n := 1_000; n <= most; n *= 10 {
		b.Run(fmt.Sprintf("tokens=%d", n), func(b *testing.B) { benchmarkScale(b, n) })
	}
}

func benchmarkScale(b *testing.B, n int) {
	path := filepath.Join(b.TempDir(), "pat.db")
	values := fillScale(b, path, n)
	store, err := Open(path)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, store.Close()) })
	cfg := pat.Config{LastUsedInterval: time.Hour, GroupLimit: 100, Scopes: pat.PublicFullScopes()} // nobody's last use is due
	verifier, err := pat.NewVerifier(store, cfg)
	require.NoError(b, err)
	issuer, err := pat.NewIssuer(store, cfg)
	require.NoError(b, err)
	info, err := os.Stat(path)
	require.NoError(b, err)

	b.Run("verify", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if err := bench.Present(b.Context(), verifier, values[i%len(values)]); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(info.Size())/float64(n), "B/token")
	})
	b.Run("create", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			group := fmt.Sprint(rand.N(n / 10))
			if _, err := issuer.Create(b.Context(), pat.CreateParams{UserID: "user-1", GroupID: group, Name: "deploy key"}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			page, err := issuer.List(b.Context(), pat.ListParams{GroupID: fmt.Sprint(rand.N(n / 10))})
			if err != nil || len(page.Tokens) < 10 {
				b.Fatal("too few tokens, or error:", err)
			}
		}
	})
}

// fillScale makes a database of n tokens, ten to a group, and returns the values of up to a million of them.
func fillScale(b *testing.B, path string, n int) (values []string) {
	b.Helper()
	s, err := Open(path)
	require.NoError(b, err)
	ctx, writer := context.Background(), sessions(s)[0]
	// The indexes come last: to sort once is much quicker than to put ten million keys into their places. And with the
	// default cache, each of ten million random places would be read from the file.
	require.NoError(b, writer.exec("PRAGMA cache_size = -4000000"))
	var names, scripts []string
	rows, err := writer.conn.QueryContext(ctx, "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL", nil)
	require.NoError(b, err)
	row := make([]driver.Value, 2)
	for err = rows.Next(row); err == nil; err = rows.Next(row) {
		names, scripts = append(names, row[0].(string)), append(scripts, row[1].(string))
	}
	require.ErrorIs(b, err, io.EOF)
	require.NoError(b, rows.Close())
	for _, name := range names {
		require.NoError(b, writer.exec("DROP INDEX "+name))
	}

	maker, err := bench.NewMaker(n, n/10)
	require.NoError(b, err)
	const batch, most = 10_000, 1_000_000
	records := make([]pat.Record, 0, batch)
	for i := range n {
		rec, value, err := maker.Make(ctx, i)
		require.NoError(b, err)
		records = append(records, rec)
		if len(records) == batch || i == n-1 {
			fill(b, s, records)
			records = records[:0]
		}
		if n <= most || rand.N(n) < most {
			values = append(values, value)
		}
	}
	for _, script := range scripts {
		require.NoError(b, writer.exec(script))
	}
	require.NoError(b, s.Close()) // folds the log into the file
	rand.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
	return values
}

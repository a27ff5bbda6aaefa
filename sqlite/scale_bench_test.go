package sqlite

import (
	"database/sql/driver"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/bench"
	"github.com/patkit/pat/internal/testscale"
)

// BenchmarkScale measures verifications beside a bare prepared SELECT, creations at the limit and pages of a list in
// databases of 10^3 to 10^7 tokens, and their bytes on disk. Those above 10^4 take minutes to fill, and need
// PAT_TEST_FULL.
func BenchmarkScale(b *testing.B) {
	most := testscale.Rounds(b, 10_000, 10_000_000)
	for n := 1_000; n <= most; n *= 10 {
		b.Run(fmt.Sprintf("tokens=%d", n), func(b *testing.B) { benchmarkScale(b, n) })
	}
}

func benchmarkScale(b *testing.B, n int) {
	path := filepath.Join(b.TempDir(), "pat.db")
	values := fillScale(b, path, n)
	b.Run("select", func(b *testing.B) {
		stmt, err := bare(b, path).PrepareContext(b.Context(), findByPrefix)
		require.NoError(b, err)
		find := func(value string) error { return selectBare(b.Context(), stmt, value[4:16]) } // its prefix
		warmUp(b, values, find)
		for i := 0; b.Loop(); i++ {
			if err := find(values[i%len(values)]); err != nil {
				b.Fatal(err)
			}
		}
	})
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
		warmUp(b, values, func(value string) error { return bench.Present(b.Context(), verifier, value) })
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

// warmUp looks every token up once, as a service has done that has been running for a while.
func warmUp(b *testing.B, values []string, find func(value string) error) {
	b.Helper()
	for _, value := range values {
		require.NoError(b, find(value))
	}
}

// fillScale makes a database of n tokens, ten to a group, and returns the values of up to a million of them.
func fillScale(b *testing.B, path string, n int) (values []string) {
	b.Helper()
	s, err := Open(path)
	require.NoError(b, err)
	// The rows are added in the order of their prefixes, and the indexes come last. At random places, one after the other,
	// ten million of them would have every page written many times.
	writer := sessions(s)[0]
	require.NoError(b, writer.exec("PRAGMA temp_store = FILE; CREATE TEMP TABLE unsorted AS SELECT "+columns+" FROM pat_tokens"))
	add, err := writer.prepare("INSERT INTO unsorted VALUES (?" + strings.Repeat(", ?", columnCount-1) + ")")
	require.NoError(b, err)
	indexes := dropIndexes(b, writer)

	maker, err := bench.NewMaker(n, n/10)
	require.NoError(b, err)
	require.NoError(b, writer.exec("BEGIN"))
	const most = 1_000_000
	for i := range n {
		rec, value, err := maker.Make(b.Context(), i)
		require.NoError(b, err)
		row, err := encode(rec)
		require.NoError(b, err)
		_, err = writer.change(add, row...)
		require.NoError(b, err)
		if n <= most || rand.N(n) < most {
			values = append(values, value)
		}
	}
	require.NoError(b, writer.exec("INSERT INTO pat_tokens ("+columns+") SELECT * FROM unsorted ORDER BY 1; COMMIT"))
	for _, index := range indexes {
		require.NoError(b, writer.exec(index))
	}
	require.NoError(b, s.Close()) // folds the log into the file
	rand.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
	return values
}

// dropIndexes returns the statements that make them again.
func dropIndexes(b *testing.B, writer *session) (statements []string) {
	b.Helper()
	rows, err := writer.conn.QueryContext(b.Context(), "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL", nil)
	require.NoError(b, err)
	var names []string
	row := make([]driver.Value, 2)
	for err = rows.Next(row); err == nil; err = rows.Next(row) {
		names, statements = append(names, row[0].(string)), append(statements, row[1].(string))
	}
	require.ErrorIs(b, err, io.EOF)
	require.NoError(b, rows.Close())
	for _, name := range names {
		require.NoError(b, writer.exec("DROP INDEX "+name))
	}
	return statements
}

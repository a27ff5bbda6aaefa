package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/bench"
	"github.com/patkit/pat/internal/pgtest"
	"github.com/patkit/pat/internal/testscale"
	"github.com/patkit/pat/internal/tokenrow"
)

// BenchmarkScale measures the calls in tables of 10^4, 10^6 and 10^7 tokens, which take turns, and what a token takes on
// disk. Those above 10^4 take minutes to fill, and need PAT_TEST_FULL.
func BenchmarkScale(b *testing.B) {
	pool := pgtest.Pool(b)
	most := testscale.Rounds(b, 10_000, 10_000_000)
	var tables []*scaled
	for _, n := range []int{10_000, 1_000_000, 10_000_000} {
		if n <= most {
			s := open(b, pool)
			tables = append(tables, newScaled(b, fmt.Sprint(n), s, fillScaled(b, s, n)))
		}
	}
	benchmarkScaled(b, tables)
}

// scaled is a table that others of another size or form are compared with.
type scaled struct {
	name string
	*contents
	store    *Store
	verifier *pat.Verifier
	issuer   *pat.Issuer
	used     time.Time
	touched  int
}

func newScaled(b *testing.B, name string, s *Store, c *contents) *scaled {
	b.Helper()
	settle(b, s, name, c.tokens)
	cfg := pat.Config{LastUsedInterval: -1, GroupLimit: 100, Scopes: pat.PublicFullScopes()}
	verifier, err := pat.NewVerifier(s, cfg)
	require.NoError(b, err)
	issuer, err := pat.NewIssuer(s, cfg)
	require.NoError(b, err)
	return &scaled{name: name, contents: c, store: s, verifier: verifier, issuer: issuer, used: time.Now()}
}

// settle waits until the server has done what a filled table makes it do, and logs what a token takes on disk.
func settle(b *testing.B, s *Store, name string, n int) {
	b.Helper()
	elapsed(b, s, "VACUUM ANALYZE "+s.table())
	elapsed(b, s, "CHECKPOINT")
	sizes, err := s.pool.Query(b.Context(), "SELECT c.relname, sum(pg_table_size(coalesce(t.relid, c.oid))) "+
		"FROM pg_class AS c LEFT JOIN pg_partition_tree(c.oid) AS t ON true WHERE c.relnamespace = $1::regnamespace AND NOT c.relispartition "+
		"AND c.relname <> 'pat_schema' AND c.relname <> 'pat_schema_pkey' GROUP BY c.relname ORDER BY c.relname", s.schema)
	require.NoError(b, err)
	total := 0.0
	for sizes.Next() {
		var relation string
		var size float64
		require.NoError(b, sizes.Scan(&relation, &size))
		total += size
		b.Logf("%s: %5.1f bytes per token: %s", name, size/float64(n), relation)
	}
	b.Logf("%s: %5.1f bytes per token in all", name, total/float64(n))
	require.NoError(b, sizes.Err())
}

func (s *scaled) verify(i int) error {
	return bench.Present(background, s.verifier, s.values[i%len(s.values)])
}

// selectOnly reads another row than verify, which would have brought its pages along.
func (s *scaled) selectOnly(i int) error {
	value := s.values[(i+len(s.values)/2)%len(s.values)]
	return selectBare(background, s.store.pool, "SELECT "+columns+" FROM "+s.store.table()+" WHERE prefix = $1", prefixOf(value))
}

func (s *scaled) create(int) error {
	_, err := s.issuer.Create(background, pat.CreateParams{UserID: "user-1", GroupID: fmt.Sprint(rand.N(s.groups)), Name: "deploy key"})
	return err
}

func (s *scaled) list(int) error {
	page, err := s.issuer.List(background, pat.ListParams{GroupID: fmt.Sprint(rand.N(s.groups))})
	if err == nil && len(page.Tokens) == 0 {
		err = fmt.Errorf("no tokens")
	}
	return err
}

// uses makes a batch of uses, of other tokens than the batch before, and later.
func (s *scaled) uses() []pat.Use {
	s.used = s.used.Add(time.Second)
	uses := make([]pat.Use, batch)
	for i := range uses {
		uses[i] = pat.Use{Prefix: prefixOf(s.values[(s.touched+i)%len(s.values)]), At: s.used}
	}
	s.touched += batch
	return uses
}

// prefixOf returns the prefix of a value.
func prefixOf(value string) string { return value[len("pat_"):][:12] }

// purge deletes a batch as Issuer.Purge does.
func (s *scaled) purge(int) error {
	n, err := s.store.Purge(background, s.ended, batch)
	if err == nil && n != batch {
		err = fmt.Errorf("%d tokens were purged", n)
	}
	return err
}

// explain logs what a statement reads, and takes back what it does.
func (s *scaled) explain(b *testing.B, stmt *statement, args ...[]byte) {
	b.Helper()
	conn, err := s.store.pool.Acquire(b.Context())
	require.NoError(b, err)
	defer conn.Release()
	pg := conn.Conn().PgConn()
	_, err = pg.Exec(b.Context(), "BEGIN").ReadAll()
	require.NoError(b, err)
	plan := pg.ExecParams(b.Context(), "EXPLAIN (ANALYZE, BUFFERS, COSTS false) "+stmt.SQL, args, stmt.ParamOIDs, binaryFormat, nil).Read()
	require.NoError(b, plan.Err)
	_, err = pg.Exec(b.Context(), "ROLLBACK").ReadAll()
	require.NoError(b, err)
	var lines strings.Builder
	for _, row := range plan.Rows {
		lines.WriteString("\n\t" + string(row[0]))
	}
	b.Logf("%s: %s%s", s.name, stmt.SQL, &lines)
}

// logged returns how many bytes a call adds to the write-ahead log, right behind a checkpoint, after which the first
// change of each page logs the whole page.
func (s *scaled) logged(b *testing.B, call func(int) error) float64 {
	b.Helper()
	elapsed(b, s.store, "CHECKPOINT")
	calls := testscale.Rounds(b, 100, 1000)
	position := func() int { return number(b, s.store.pool, "SELECT pg_current_wal_insert_lsn() - '0/0'") }
	before := position()
	for i := range calls {
		require.NoError(b, call(i))
	}
	return float64(position()-before) / float64(calls)
}

// end adds revoked tokens, which a purge may delete.
func (s *scaled) end(b *testing.B, n int) {
	b.Helper()
	records, _ := bench.Records(b, n)
	for i := range records {
		records[i].Token.RevokedAt = s.ended.Add(-time.Microsecond)
	}
	addAll(b, s.store, records)
}

// addAll adds records in batches.
func addAll(b *testing.B, s *Store, records []pat.Record) {
	b.Helper()
	_, err := s.Merge(b.Context(), func(yield func(pat.Record, error) bool) {
		for _, rec := range records {
			if !yield(rec, nil) {
				return
			}
		}
	})
	require.NoError(b, err)
}

// background has no deadline, which costs the least.
var background = context.Background()

// batch is how many tokens are touched or purged at once, as by the Verifier and the Issuer.
const batch = 500

func benchmarkScaled(b *testing.B, tables []*scaled) {
	b.Helper()
	each := func(call func(*scaled) func(int) error) (calls []func(int) error) {
		for _, table := range tables {
			calls = append(calls, call(table))
		}
		return calls
	}
	for _, s := range tables {
		createdAt, id, err := tokenrow.Behind(pat.Position{})
		require.NoError(b, err)
		position := encodeBound(createdAt)
		s.explain(b, s.store.stmts.lists[tokenrow.ListKind{ByGroup: true}], position, id, encodeInt(101), encodeText("1"))
		s.explain(b, s.store.stmts.lists[tokenrow.ListKind{ByGroup: true, IncludeRevoked: true}], position, id, encodeInt(101), encodeText("1"))
		s.explain(b, s.store.stmts.purge, encodeBound(s.ended), encodeInt(batch))
	}
	b.Run("write-ahead log", func(b *testing.B) {
		for _, s := range tables {
			b.ReportMetric(s.logged(b, s.create), "B/create-"+s.name)
		}
	})
	b.Run("verify", func(b *testing.B) {
		calls := each(func(s *scaled) func(int) error { return s.verify })
		calls = append(calls, each(func(s *scaled) func(int) error { return s.selectOnly })...)
		took := bench.TakeTurns(b, nil, calls...)
		for i, s := range tables {
			b.ReportMetric(took[i], "ns/verify-"+s.name)
			b.ReportMetric(took[len(tables)+i], "ns/select-"+s.name)
		}
	})
	for _, c := range []struct {
		name string
		call func(*scaled) func(int) error
	}{
		{"list", func(s *scaled) func(int) error { return s.list }},
		{"create", func(s *scaled) func(int) error { return s.create }},
	} {
		b.Run(c.name, func(b *testing.B) {
			took := bench.TakeTurns(b, nil, each(c.call)...)
			for i, s := range tables {
				b.ReportMetric(took[i], "ns/"+c.name+"-"+s.name)
			}
		})
	}
	b.Run("touch", func(b *testing.B) { benchmarkTouch(b, tables) })
	b.Run("purge", func(b *testing.B) {
		prepare := func() { // there are as many ended tokens as before
			for _, s := range tables {
				s.end(b, batch)
			}
		}
		took := bench.TakeTurns(b, prepare, each(func(s *scaled) func(int) error { return s.purge })...)
		for i, s := range tables {
			b.ReportMetric(took[i]/batch, "ns/purged-token-"+s.name)
		}
	})
}

func benchmarkTouch(b *testing.B, tables []*scaled) {
	batches := make([][]pat.Use, len(tables))
	prepare := func() {
		for i, s := range tables {
			batches[i] = s.uses()
		}
	}
	var calls []func(int) error
	for i, s := range tables {
		calls = append(calls, func(int) error { return s.store.Touch(background, batches[i]) })
	}
	took := bench.TakeTurns(b, prepare, calls...)
	for i, s := range tables {
		b.ReportMetric(took[i]/batch, "ns/touched-token-"+s.name)
		b.Logf("%s: %.0f%% of the updates touched no index", s.name, 100*s.hotUpdates(b))
	}
}

// hotUpdates returns the share of updates that found room on the page of their row, and so touched no index.
func (s *scaled) hotUpdates(b *testing.B) (share float64) {
	b.Helper()
	s.store.pool.Reset() // sessions report when they end
	for updates := 0; updates < s.touched; {
		err := s.store.pool.QueryRow(b.Context(), "SELECT sum(n_tup_upd), sum(n_tup_hot_upd)::float8 / greatest(sum(n_tup_upd), 1) "+
			"FROM pg_stat_user_tables WHERE schemaname = $1", s.store.schema).Scan(&updates, &share)
		require.NoError(b, err)
	}
	return share
}

package postgres

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/contest"
	"github.com/patkit/pat/internal/testscale"
	"github.com/patkit/pat/storetest"
)

// partition runs the script by which an operator partitions the table.
func (s *Store) partition(t testing.TB, partitions int) {
	t.Helper()
	script, err := os.ReadFile("partition.sql")
	require.NoError(t, err)
	config := s.pool.Config().ConnConfig.Config.Copy()
	config.RuntimeParams["search_path"] = s.schema
	config.RuntimeParams["pat.partitions"] = strconv.Itoa(partitions)
	conn, err := pgconn.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	_, err = conn.Exec(t.Context(), string(script)).ReadAll()
	require.NoError(t, err)
}

func partitionedStore(t testing.TB) *Store {
	t.Helper()
	s := testStore(t)
	s.partition(t, 4)
	return s
}

// All cases share a table, because it takes longer to make one than to test it.
func TestPartitionedStore(t *testing.T) {
	s := partitionedStore(t)
	storetest.Run(t, func(t *testing.T) pat.Store {
		s.sql(t, "DELETE FROM pat_tokens")
		return s
	})
	for _, table := range []string{"pat_tokens", "pat_token_ids"} {
		s.sql(t, "DELETE FROM pat_tokens")
		assert.Zero(t, number(t, s.pool, "SELECT count(*) FROM "+s.schema+"."+table))
	}
}

func TestNothingBringsARevokedTokenBackInAPartitionedTable(t *testing.T) {
	s := partitionedStore(t)
	crowd, err := contest.NewCrowd(s, 200)
	require.NoError(t, err)
	for round := range testscale.Rounds(t, 3, 100) {
		require.NoError(t, contest.LastPlace(s, round, crowd))
	}
	var total contest.Report
	for round := range testscale.Rounds(t, 10, 1000) {
		report, err := contest.Revoke(s, round)
		require.NoError(t, err)
		total = total.Plus(report)
	}
	t.Log(total)
	for _, c := range contest.Interleavings() {
		s.sql(t, "DELETE FROM pat_tokens")
		t.Run(c.Name, func(t *testing.T) { require.NoError(t, c.Run(s)) })
	}
}

func TestARotationToATakenIDInAnotherPartitionIsRefused(t *testing.T) {
	s := partitionedStore(t)
	recs := s.add(t, 1, 2)
	for n := 3; n < 30; n++ { // their prefixes fall into many partitions
		rotation := successor(recs[0], n, 0)
		rotation.New.Token.ID = recs[1].Token.ID
		require.ErrorIs(t, s.Rotate(t.Context(), rotation), pat.ErrExists)
		// Nor by a call that did not see the other one, which only a constraint can refuse.
		rotation.New.Token.ID = testRecord(n).Token.ID
		s.sql(t, "INSERT INTO pat_token_ids VALUES ($1)", rotation.New.Token.ID)
		require.ErrorIs(t, s.Rotate(t.Context(), rotation), pat.ErrExists)
	}
	tok, err := s.FindByID(t.Context(), recs[0].Token.ID)
	require.NoError(t, err)
	assert.Equal(t, recs[0].Token, tok)
}

// What the migrations have made has to be there again, so that a script which forgets what a later one adds is noticed.
func TestThePartitionedTableIsLikeTheOther(t *testing.T) {
	s := testStore(t)
	s.sql(t, "GRANT SELECT, UPDATE ON pat_tokens TO pg_monitor WITH GRANT OPTION")
	s.sql(t, "GRANT SELECT ON pat_tokens TO PUBLIC")
	s.sql(t, "GRANT USAGE, CREATE ON SCHEMA "+s.schema+" TO pg_read_all_stats")
	s.sql(t, "ALTER TABLE pat_tokens OWNER TO pg_read_all_stats")
	describe := func() []string {
		found, err := s.pool.Query(t.Context(), `
			SELECT format('column %s %s %s %s', attname, format_type(atttypid, atttypmod), attnotnull, attcollation::regcollation)
			FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0
			UNION ALL SELECT format('constraint %s %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint
			WHERE conrelid = $1::regclass AND contype IN ('c', 'p')
			UNION ALL SELECT replace(replace(pg_get_indexdef(indexrelid), 'ON ONLY', 'ON'), 'UNIQUE INDEX pat_tokens_id_key', 'INDEX pat_tokens_id_key')
			FROM pg_index WHERE indrelid = $1::regclass
			UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = $1::regclass AND tgfoid::regproc::text LIKE '%pat_notify'
			UNION ALL SELECT format('owner %s', relowner::regrole) FROM pg_class WHERE oid = $1::regclass
			UNION ALL SELECT format('right %s', a) FROM pg_class, aclexplode(relacl) AS a WHERE oid = $1::regclass
			UNION ALL SELECT DISTINCT format('options %s', reloptions) FROM pg_class
			WHERE relkind = 'r' AND (oid = $1::regclass OR oid IN (SELECT relid FROM pg_partition_tree($1::regclass)))
			ORDER BY 1`, s.table())
		require.NoError(t, err)
		lines, err := pgx.CollectRows(found, pgx.RowTo[string])
		require.NoError(t, err)
		return lines
	}
	before := describe()
	require.Greater(t, len(before), 30)
	s.partition(t, 2)
	assert.Equal(t, before, describe())
}

func TestThePartitionedTableTellsOfItsChanges(t *testing.T) {
	s := partitionedStore(t)
	recs := s.add(t, 1, 2, 3)
	heard := make(chan string, 100)
	ctx, cancel := context.WithCancel(t.Context())
	ready := make(chan struct{}, 100)
	ended := make(chan error, 1)
	go func() {
		ended <- s.Watch(ctx, time.Minute, &listener{func(p string) { heard <- p }, func(time.Time) { ready <- struct{}{} }})
	}()
	<-ready
	_, _, err := s.Revoke(t.Context(), recs[0].Token.ID, created)
	require.NoError(t, err)
	assert.Equal(t, recs[0].Token.Prefix, <-heard, "a revocation")
	n, err := s.Purge(t.Context(), created.Add(time.Second), 10)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	assert.Equal(t, recs[0].Token.Prefix, <-heard, "a purge")
	for n := range 5 { // some of them stay in their partition
		prefix := "Other" + strconv.Itoa(n)
		s.sql(t, "UPDATE pat_tokens SET prefix = $2 WHERE prefix = $1", recs[1].Token.Prefix, prefix)
		assert.Equal(t, recs[1].Token.Prefix, <-heard, "another prefix")
		recs[1].Token.Prefix = prefix
	}
	s.sql(t, "TRUNCATE pat_tokens_3")
	assert.Empty(t, <-heard, "a partition is truncated")
	s.sql(t, "TRUNCATE pat_tokens")
	assert.Empty(t, <-heard, "the table is truncated")
	s.add(t, 1, 2, 3) // the ids are free again
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	assert.Empty(t, heard)
}

func TestATableIsPartitionedWhileItIsUsed(t *testing.T) {
	s := testStore(t)
	cfg := pat.Config{LastUsedInterval: time.Nanosecond}
	issuer, err := pat.NewIssuer(s, cfg)
	require.NoError(t, err)
	verifier, err := pat.NewVerifier(s, cfg)
	require.NoError(t, err)
	ctx := t.Context()
	var values []string
	use := func() error {
		issued, err := issuer.Create(ctx, pat.CreateParams{UserID: "user", GroupID: "group", Name: "name"})
		if err != nil {
			return err
		}
		values = append(values, issued.Value.Reveal())
		_, err = verifier.Verify(ctx, issued.Value.Reveal())
		return err
	}
	for range 100 {
		require.NoError(t, use())
	}
	until := func(done <-chan struct{}, call func() error) error {
		for {
			if err := call(); err != nil {
				return err
			}
			select {
			case <-done:
				return nil
			default:
			}
		}
	}
	partitioned := make(chan struct{})
	errs := make(chan []error)
	first := values[0]
	go func() {
		errs <- together(
			func() error { return until(partitioned, use) },
			func() error {
				return until(partitioned, func() error {
					_, err := verifier.Verify(ctx, first)
					return err
				})
			},
		)
	}()
	s.partition(t, 3)
	close(partitioned)
	for _, err := range <-errs {
		require.NoError(t, err)
	}
	require.NoError(t, verifier.Close(ctx))
	for _, value := range values {
		_, err := verifier.Verify(ctx, value)
		require.NoError(t, err)
	}
	assert.Equal(t, len(values), number(t, s.pool, "SELECT count(*) FROM "+s.schema+".pat_token_ids"))
	t.Logf("%d tokens were created, %d of them meanwhile", len(values), len(values)-100)
}

func TestRecordsAreMergedIntoAPartitionedTable(t *testing.T) {
	s := partitionedStore(t)
	recs := []pat.Record{testRecord(1), testRecord(2), testRecord(3)}
	merge := func(recs ...pat.Record) Merged {
		merged, err := s.Merge(t.Context(), func(yield func(pat.Record, error) bool) {
			for _, rec := range recs {
				if !yield(rec, nil) {
					return
				}
			}
		})
		require.NoError(t, err)
		return merged
	}
	assert.Equal(t, Merged{Added: 2}, merge(recs[:2]...))
	recs[0].Token.RevokedAt = created
	assert.Equal(t, Merged{Added: 1, Changed: 1, Same: 1}, merge(recs...))
}

package postgres

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/pgtest"
)

// open opens a store in a schema of its own.
func open(t testing.TB, pool *pgxpool.Pool, opts ...Option) *Store {
	t.Helper()
	return openIn(t, pool, pgtest.Schema(t), opts...)
}

func openIn(t testing.TB, pool *pgxpool.Pool, schema string, opts ...Option) *Store {
	t.Helper()
	s, err := New(t.Context(), pool, append(opts, WithSchema(schema))...)
	require.NoError(t, err)
	return s
}

// testStore opens a store on a pool of its own.
func testStore(t testing.TB, opts ...Option) *Store {
	t.Helper()
	schema := pgtest.Schema(t)
	return openIn(t, pgtest.Pool(t), schema, opts...)
}

// hurried lets commits not wait for the disk, for tests that make thousands of them.
func hurried(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["synchronous_commit"] = "off" }

// sql runs a statement beside the store, in its schema. It goes over a connection that is closed afterwards.
func (s *Store) sql(t testing.TB, statement string, args ...any) (affected int64) {
	t.Helper()
	conn, err := s.pool.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	_, err = conn.Exec(t.Context(), `SET search_path TO "`+s.schema+`"`)
	require.NoError(t, err)
	tag, err := conn.Exec(t.Context(), statement, args...)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "RESET search_path")
	require.NoError(t, err)
	return tag.RowsAffected()
}

// number returns what a query beside the store counts.
func number(t testing.TB, pool *pgxpool.Pool, query string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, pool.QueryRow(t.Context(), query, args...).Scan(&n))
	return n
}

func (s *Store) table() string { return `"` + s.schema + `".pat_tokens` }

var created = time.Date(2031, time.March, 4, 5, 6, 7, 890_123_000, time.UTC)

// testRecord makes a record that no other number gives, of user in group.
func testRecord(n int) pat.Record {
	digest, err := pat.ParseDigest(fmt.Sprintf("sha256$$%032d", n))
	if err != nil {
		panic(err)
	}
	scopes, err := pat.NewScopes("read", "repo:write")
	if err != nil {
		panic(err)
	}
	return pat.Record{Digest: digest, Token: pat.Token{
		ID: fmt.Sprintf("0199c0de-0000-7000-8000-%012x", n), Prefix: fmt.Sprintf("Prefix%06d", n), UserID: "user", GroupID: "group",
		Name: "name", Scopes: scopes, CreatedAt: created, UpdatedAt: created, ExpiresAt: created.Add(time.Hour),
	}}
}

// add adds records with these numbers.
func (s *Store) add(t testing.TB, numbers ...int) (records []pat.Record) {
	t.Helper()
	for _, n := range numbers {
		rec := testRecord(n)
		require.NoError(t, s.Insert(t.Context(), rec, 0))
		records = append(records, rec)
	}
	return records
}

// successor makes the rotation of a record to the one with a number.
func successor(old pat.Record, n int, grace time.Duration) pat.Rotation {
	next := testRecord(n)
	next.Token.RotatedFrom = old.Token.ID
	at := created.Add(time.Minute)
	return pat.Rotation{OldID: old.Token.ID, At: at, End: at.Add(grace), New: next}
}

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

var created = time.Date(2031, 3, 4, 5, 6, 7, 890_123_000, time.UTC)

func testStore(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path, WithBusyTimeout(1234*time.Millisecond))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func testRecord(t *testing.T) pat.Record {
	t.Helper()
	digest, err := pat.ParseDigest("sha256$$" + strings.Repeat("d", 32))
	require.NoError(t, err)
	scopes, err := pat.ParseScopes("read repo:write")
	require.NoError(t, err)
	return pat.Record{Digest: digest, Token: pat.Token{
		ID: "0199c0de-0000-7000-8000-000000000001", UserID: "user", GroupID: "group", Name: "name", Prefix: "abcdefABCDEF", Scopes: scopes,
		CreatedAt: created, UpdatedAt: created,
	}}
}

// sessions returns every connection of a store.
func sessions(s *Store) []*session {
	if s.readers == s.writer {
		return s.writer.stack
	}
	return append(append([]*session{}, s.writer.stack...), s.readers.stack...)
}

func TestEveryConnectionHasItsPragmas(t *testing.T) {
	file := testStore(t, filepath.Join(t.TempDir(), "pat.db"))
	require.GreaterOrEqual(t, len(file.readers.stack), minReaders)
	common := map[string]string{"synchronous": "2", "foreign_keys": "1", "fullfsync": "1", "trusted_schema": "0"}
	check := func(c *session, pragmas map[string]string) {
		for name, want := range pragmas {
			var got string
			require.NoError(t, c.conn.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&got))
			assert.Equal(t, want, got, name)
		}
	}
	for i, c := range sessions(file) {
		check(c, common)
		check(c, map[string]string{"journal_mode": "wal"})
		if i == 0 {
			check(c, map[string]string{"query_only": "0", "busy_timeout": "0"})
		} else {
			check(c, map[string]string{"query_only": "1", "busy_timeout": "1234"})
		}
	}
	memory := sessions(testStore(t, ":memory:"))
	require.Len(t, memory, 1)
	check(memory[0], common)
	check(memory[0], map[string]string{"journal_mode": "memory", "query_only": "0"})
}

// Taking rights away after the fact would leave a moment in which somebody else could open the file, and keep it open.
func TestANewFileIsPrivateFromTheFirstMoment(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	path := filepath.Join(t.TempDir(), "pat.db")
	file, err := findFile(path)
	require.NoError(t, err)
	defer file.cleanUp()
	conn, err := newConnector(file, roleWriter, time.Second).Connect(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	info, err := os.Stat(path) // which SQLite's own files beside it copy their mode from
	require.NoError(t, err)
	assert.Equal(t, fileMode, info.Mode())
}

func TestAPragmaThatDoesNotHoldIsAnError(t *testing.T) {
	conn, err := (&sqlite3.SQLiteDriver{}).Open(":memory:")
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	// A database in memory can't have a write-ahead log, and SQLite says nothing.
	err = apply(conn.(*sqlite3.SQLiteConn), []pragma{{"journal_mode", "WAL", "wal"}})
	assert.ErrorContains(t, err, "journal_mode = WAL")
}

// Each of the statements has to find its rows through an index, and come by their order without sorting.
func TestNoStatementScansOrSorts(t *testing.T) {
	s := testStore(t, ":memory:")
	queries := map[string]string{
		findByPrefix: "PRIMARY KEY (prefix=?)", findByID: "pat_tokens_id (id=?)", countGroup: "COVERING INDEX pat_tokens_group_live (group_id=?)",
		revoke: "pat_tokens_id (id=?)", touch: "PRIMARY KEY (prefix=?)", replaceDigest: "PRIMARY KEY (prefix=?)", endOld: "pat_tokens_id (id=?)",
		purge: "pat_tokens_expiring (expires_at<?)", clash: "MULTI-INDEX OR",
	}
	for _, kind := range listKinds {
		index, _ := kind.owner()
		queries[kind.query()] = index + "_live"
		queries[revokeAll(kind)] = index + "_live"
	}
	for query, index := range queries {
		plan := explain(t, s, query)
		assert.Contains(t, plan, index, query)
		assert.NotContains(t, plan, "SCAN pat_tokens", query)
		assert.NotContains(t, plan, "TEMP B-TREE FOR", query)
	}
	for _, kind := range listKinds {
		plan := explain(t, s, kind.query())
		assert.Contains(t, plan, "created_at,id)<(?,?)", "a page begins in the index: %s", kind.query())
		assert.Equal(t, kind.includeRevoked, strings.Contains(plan, "_revoked"), kind.query())
	}
	assert.Contains(t, explain(t, s, purge), "pat_tokens_revoked (revoked_at<?)")
}

func explain(t *testing.T, s *Store, query string) string {
	t.Helper()
	args := make([]any, strings.Count(columns, ",")+1)
	stmt, err := sessions(s)[0].conn.PrepareContext(t.Context(), "EXPLAIN QUERY PLAN "+query)
	require.NoError(t, err)
	defer func() { require.NoError(t, stmt.Close()) }()
	var rows *sql.Rows
	for n := range len(args) + 1 { // as many as the statement has
		if rows, err = stmt.QueryContext(t.Context(), args[:n]...); err == nil {
			break
		}
	}
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var detail string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
		plan.WriteString(detail + "\n")
	}
	require.NoError(t, rows.Err())
	return plan.String()
}

// Whatever is in the database, it is an error unless this library can have written it.
func TestCorruptColumnsAreErrors(t *testing.T) {
	row, err := encode(testRecord(t))
	require.NoError(t, err)
	whole, err := decode(row)
	require.NoError(t, err)
	require.Equal(t, testRecord(t), whole)

	id := row[1]
	bad := map[string][]any{
		"prefix": {nil, "", int64(1), []byte("abcdefABCDEF")},
		"id":     {nil, []byte{}, make([]byte, 15), make([]byte, 17), "0199c0de-0000-7000-8000-000000000001", int64(1)},
		"digest": {nil, []byte{}, []byte("x"), []byte("sha256$$"), []byte("SHA$$x"), "sha256$$" + strings.Repeat("d", 32), int64(1),
			[]byte("bcrypt$$" + strings.Repeat("d", 512))},
		"user_id": {nil, int64(1), []byte("user")}, "group_id": {nil, int64(1), []byte("group")}, "name": {nil, 1.5, []byte("name")},
		"scopes":     {nil, int64(1), []byte("read"), "read  write", " read", `a"b`, "a a", "naïve", strings.Repeat("a", 129)},
		"created_at": {nil, int64(-1), "2031-01-01", 1.5, int64(math.MaxInt64), latestTime + 1},
		"updated_at": {nil, int64(-1), "2031-01-01"}, "expires_at": {int64(-1), "never", 1.5, latestTime + 1}, "last_used_at": {int64(-1), ""},
		"revoked_at": {int64(-1), int64(math.MinInt64), "", []byte{}, true}, "rotated_from": {[]byte{}, "x", make([]byte, 15)},
		"rotated_to": {[]byte{}, int64(1), make([]byte, 17), append([]byte{1}, id.([]byte)...)},
	}
	for i, column := range strings.Split(columns, ", ") {
		require.NotEmpty(t, bad[column], column)
		for _, value := range bad[column] {
			damaged := append([]any{}, row...)
			damaged[i] = value
			got, err := decode(damaged)
			assert.ErrorIs(t, err, pat.ErrCorrupt, "%s: %v", column, value)
			assert.ErrorContains(t, err, "column "+column)
			assert.Zero(t, got)
		}
	}
}

func TestACorruptRowIsAnErrorOfEveryMethod(t *testing.T) {
	for _, damage := range []string{
		"digest = x'00'", "scopes = 'a a'", "created_at = -1", "revoked_at = -1", "id = x'01'", "rotated_to = x'01'",
	} {
		s, rec := testStore(t, ":memory:"), testRecord(t)
		require.NoError(t, s.Insert(t.Context(), rec, 0))
		c := sessions(s)[0]
		for _, query := range []string{"PRAGMA ignore_check_constraints = ON", "UPDATE pat_tokens SET " + damage} {
			_, err := c.conn.ExecContext(t.Context(), query)
			require.NoError(t, err)
		}
		_, err := s.FindByPrefix(t.Context(), rec.Token.Prefix)
		assert.ErrorIs(t, err, pat.ErrCorrupt, damage)
		_, err = s.List(t.Context(), pat.ListQuery{Owner: pat.Owner{UserID: "user"}, IncludeRevoked: true, Limit: 10})
		assert.ErrorIs(t, err, pat.ErrCorrupt, damage)
		if !strings.HasPrefix(damage, "id") {
			_, err = s.FindByID(t.Context(), rec.Token.ID)
			assert.ErrorIs(t, err, pat.ErrCorrupt, damage)
		}
	}
}

func TestInsertRefusesWhatItCouldNotReadBack(t *testing.T) {
	s := testStore(t, ":memory:")
	for argument, change := range map[string]func(*pat.Record){
		"Token.Prefix":      func(r *pat.Record) { r.Token.Prefix = "" },
		"Token.ID":          func(r *pat.Record) { r.Token.ID = "0199C0DE-0000-7000-8000-000000000001" },
		"Token.RotatedFrom": func(r *pat.Record) { r.Token.RotatedFrom = "x" },
		"Digest":            func(r *pat.Record) { r.Digest = pat.Digest{} },
		"Token.CreatedAt":   func(r *pat.Record) { r.Token.CreatedAt = time.Time{} },
		"Token.ExpiresAt":   func(r *pat.Record) { r.Token.ExpiresAt = time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC) },
		"Token.RevokedAt":   func(r *pat.Record) { r.Token.RevokedAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		rec := testRecord(t)
		change(&rec)
		err := s.Insert(t.Context(), rec, 0)
		argumentError, ok := errors.AsType[*pat.ArgumentError](err)
		require.True(t, ok, "%s: %v", argument, err)
		assert.Equal(t, argument, argumentError.Argument)
	}
}

func TestErrorsOfSQLiteAreTranslated(t *testing.T) {
	for _, c := range []struct {
		err  sqlite3.Error
		want error
	}{
		{sqlite3.Error{Code: sqlite3.ErrNotADB}, ErrNotADatabase},
		{sqlite3.Error{Code: sqlite3.ErrCorrupt}, pat.ErrCorrupt},
		{sqlite3.Error{Code: sqlite3.ErrFull}, syscall.ENOSPC},
		{sqlite3.Error{Code: sqlite3.ErrReadonly}, syscall.EROFS},
		{sqlite3.Error{Code: sqlite3.ErrCantOpen, SystemErrno: syscall.EACCES}, fs.ErrPermission},
		{sqlite3.Error{Code: sqlite3.ErrIoErr, SystemErrno: syscall.EDQUOT}, syscall.EDQUOT},
	} {
		err := fault("open", c.err)
		assert.ErrorIs(t, err, c.want)
		assert.ErrorIs(t, err, c.err, "the cause stays")
	}
}

func TestAFullDiskChangesNothingAndIsOverWhenThereIsRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pat.db")
	s := testStore(t, path)
	limitPages := func(n string) {
		c, err := s.writer.acquire(t.Context(), s.closed)
		require.NoError(t, err)
		defer s.writer.release(c)
		_, err = c.conn.ExecContext(t.Context(), "PRAGMA max_page_count = "+n)
		require.NoError(t, err)
	}
	issuer, err := pat.NewIssuer(s, pat.Config{})
	require.NoError(t, err)
	params := pat.CreateParams{UserID: "user", GroupID: "group", Name: strings.Repeat("n", 255)}
	limitPages("20")
	made := 0
	for err == nil {
		_, err = issuer.Create(t.Context(), params)
		made++
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	tokens, listErr := s.List(t.Context(), pat.ListQuery{Owner: pat.Owner{GroupID: "group"}, Limit: 1000})
	require.NoError(t, listErr)
	assert.Len(t, tokens, made-1)
	limitPages("1000000")
	_, err = issuer.Create(t.Context(), params)
	assert.NoError(t, err, "the writer is not left in a transaction")
}

func TestACanceledWriteChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pat.db")
	s, rec := testStore(t, path), testRecord(t)
	t.Run("while another process holds the lock", func(t *testing.T) {
		other := testStore(t, path)
		c, err := other.writer.acquire(t.Context(), other.closed)
		require.NoError(t, err)
		require.NoError(t, c.begin(t.Context(), time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		assert.ErrorIs(t, s.Insert(ctx, rec, 0), context.DeadlineExceeded)
		assert.Error(t, c.end(t.Context(), context.Canceled))
		other.writer.release(c)
	})
	t.Run("while another call has the connection", func(t *testing.T) {
		c, err := s.writer.acquire(t.Context(), s.closed)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		assert.ErrorIs(t, s.Insert(ctx, rec, 0), context.DeadlineExceeded)
		s.writer.release(c)
	})
	t.Run("just before the commit", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.transact(ctx, "test", func(c *session) error {
			row, err := encode(rec)
			require.NoError(t, err)
			defer cancel()
			return c.insert(ctx, row)
		})
		assert.ErrorIs(t, err, context.Canceled)
	})
	_, err := s.FindByPrefix(t.Context(), rec.Token.Prefix)
	assert.ErrorIs(t, err, pat.ErrNotFound)
	require.NoError(t, s.Insert(t.Context(), rec, 0), "the connection is as before")
}

func TestClose(t *testing.T) {
	for name, path := range map[string]string{"file": filepath.Join(t.TempDir(), "pat.db"), "memory": ":memory:"} {
		t.Run(name, func(t *testing.T) {
			s, rec := testStore(t, path), testRecord(t)
			c, err := s.readers.acquire(t.Context(), s.closed)
			require.NoError(t, err)
			done := make(chan error)
			go func() { done <- s.Close() }()
			<-s.closed
			select {
			case err := <-done:
				require.NoError(t, err)
				t.Error("Close did not wait for a call in progress")
			default:
			}
			s.readers.release(c)
			require.NoError(t, <-done)
			require.NoError(t, s.Close(), "closing again is harmless")

			ctx := t.Context()
			calls := map[string]error{
				"Insert": s.Insert(ctx, rec, 0), "Touch": s.Touch(ctx, nil),
				"Rotate": s.Rotate(ctx, pat.Rotation{OldID: rec.Token.ID, At: created, New: rec}),
			}
			_, calls["FindByPrefix"] = s.FindByPrefix(ctx, "prefix")
			_, calls["FindByID"] = s.FindByID(ctx, rec.Token.ID)
			_, calls["List"] = s.List(ctx, pat.ListQuery{Owner: pat.Owner{UserID: "user"}, Limit: 1})
			_, _, calls["Revoke"] = s.Revoke(ctx, rec.Token.ID, created)
			_, calls["RevokeAll"] = s.RevokeAll(ctx, pat.Owner{UserID: "user"}, created)
			_, calls["ReplaceDigest"] = s.ReplaceDigest(ctx, "prefix", rec.Digest, rec.Digest)
			_, calls["Purge"] = s.Purge(ctx, created, 1)
			for method, err := range calls {
				assert.ErrorIs(t, err, fs.ErrClosed, method)
				for _, sentinel := range []error{pat.ErrInvalidToken, pat.ErrNotFound, pat.ErrCorrupt, pat.ErrExists, pat.ErrInvalidArgument} {
					assert.NotErrorIs(t, err, sentinel, method)
				}
			}
		})
	}
}

func TestFilesAreClosedAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pat.db")
	garbage := filepath.Join(t.TempDir(), "garbage")
	require.NoError(t, os.WriteFile(garbage, []byte(strings.Repeat("garbage", 1000)), 0o600))
	for range 3 {
		s, err := Open(path)
		require.NoError(t, err)
		require.NoError(t, s.Close())
		_, err = Open(garbage)
		require.Error(t, err)
	}
	links, err := filepath.Glob("/proc/self/fd/*") // none, and nothing to see, where there is no such folder
	require.NoError(t, err)
	for _, link := range links {
		target, err := os.Readlink(link)
		if err == nil {
			assert.NotContains(t, target, filepath.Dir(path))
			assert.NotContains(t, target, filepath.Dir(garbage))
		}
	}
}

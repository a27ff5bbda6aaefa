package sqlite_test

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/sqlite"
)

func TestOpenTakesAnyPath(t *testing.T) {
	for _, name := range []string{
		"plain.db", "with space.db", "a?mode=memory", "a#b", "100%", "%41.db", "a&b=c;d", "+", "Zoë 日本語.db", "file:x.db", "x\xff.db",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			s, err := sqlite.Open(path)
			require.NoError(t, err)
			id := create(t, s).ID
			require.NoError(t, s.Close())
			entries, err := os.ReadDir(filepath.Dir(path))
			require.NoError(t, err)
			require.Len(t, entries, 1, "the folder has the database and nothing else")
			assert.Equal(t, name, entries[0].Name())
			_, err = open(t, path).FindByID(t.Context(), id)
			assert.NoError(t, err)
		})
	}
}

func TestOpenTakesARelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	open(t, "pat.db")
	assert.FileExists(t, "pat.db")
}

func TestARelativePathInAFolderThatIsGoneIsAbsent(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "folder")
	require.NoError(t, os.Mkdir(folder, 0o700))
	t.Chdir(folder)
	require.NoError(t, os.Remove(folder))
	_, err := sqlite.Open("pat.db")
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

func TestOpenFollowsASymbolicLink(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Symlink("real.db", filepath.Join(dir, "link.db")))
	tok := create(t, open(t, filepath.Join(dir, "link.db"))) // makes real.db
	_, err := open(t, filepath.Join(dir, "real.db")).FindByID(t.Context(), tok.ID)
	assert.NoError(t, err)
}

func TestEachDatabaseInMemoryIsItsOwn(t *testing.T) {
	first, second := open(t, ":memory:"), open(t, ":memory:")
	_, err := second.FindByID(t.Context(), create(t, first).ID)
	assert.ErrorIs(t, err, pat.ErrNotFound)
	assert.NoFileExists(t, ":memory:")
}

func TestReopeningKeepsEverything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pat.db")
	first := open(t, path)
	tok := create(t, first)
	require.NoError(t, first.Touch(t.Context(), []pat.Use{{Prefix: tok.Prefix, At: tok.CreatedAt.Add(time.Hour)}}))
	_, _, err := first.Revoke(t.Context(), create(t, first).ID, tok.CreatedAt)
	require.NoError(t, err)
	query := pat.ListQuery{Owner: pat.Owner{GroupID: "group"}, IncludeRevoked: true, Limit: 10}
	want, err := first.List(t.Context(), query)
	require.NoError(t, err)
	require.Len(t, want, 2)
	require.NoError(t, first.Close())

	got, err := open(t, path).List(t.Context(), query)
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestAHostKeepsItsOwnTablesInTheSameFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "host.db")
	sqlite.Execute(t, path, "CREATE TABLE schema_version (v); INSERT INTO schema_version VALUES (99); CREATE TABLE tokens (x); PRAGMA user_version = 77")
	s := open(t, path)
	create(t, s)
	sqlite.Execute(t, path, "INSERT INTO tokens VALUES (1)")
	db, err := sql.Open("sqlite3", path)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	var others, version int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE '%pat_%'").Scan(&others))
	assert.Equal(t, 2, others, "everything else of the library's begins with pat_")
	require.NoError(t, db.QueryRowContext(t.Context(), "PRAGMA user_version").Scan(&version))
	assert.Equal(t, 77, version)
}

func TestAnEmptyFileBecomesADatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pat.db")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	create(t, open(t, path))
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(t *testing.T, path string)
		want error
	}{
		{"a directory", func(t *testing.T, path string) { require.NoError(t, os.Mkdir(path, 0o700)) }, syscall.EISDIR},
		{"no such folder", func(t *testing.T, path string) { require.NoError(t, os.Remove(filepath.Dir(path))) }, fs.ErrNotExist},
		{"text instead of a database", func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("no database\n", 1000)), 0o640)) //nolint:gosec // the mode has to stay
		}, sqlite.ErrNotADatabase},
		{"less than a header", func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, []byte("SQLite format 3\x00"), 0o600))
		}, sqlite.ErrNotADatabase},
		{"a named pipe", func(t *testing.T, path string) { require.NoError(t, syscall.Mkfifo(path, 0o600)) }, sqlite.ErrNotADatabase},
		{"the next schema", func(t *testing.T, path string) {
			made(t, path)
			sqlite.Execute(t, path, "INSERT INTO pat_schema (version, applied_at) SELECT max(version) + 1, 0 FROM pat_schema")
		}, sqlite.ErrNewerSchema},
		{"a schema far ahead", func(t *testing.T, path string) {
			made(t, path)
			sqlite.Execute(t, path, "INSERT INTO pat_schema (version, applied_at) VALUES (99, 0)")
		}, sqlite.ErrNewerSchema},
		{"a truncated file", func(t *testing.T, path string) {
			made(t, path)
			info, err := os.Stat(path)
			require.NoError(t, err)
			require.NoError(t, os.Truncate(path, info.Size()/2))
		}, pat.ErrCorrupt},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "secret-name.db")
			c.make(t, path)
			before, _ := os.Stat(path)
			var content map[string][]byte
			if before != nil && before.Mode().IsRegular() {
				content = readFolder(t, filepath.Dir(path))
			}
			s, err := sqlite.Open(path)
			require.ErrorIs(t, err, c.want)
			assert.Nil(t, s)
			for _, other := range []error{
				syscall.EISDIR, fs.ErrNotExist, fs.ErrPermission, syscall.EROFS, sqlite.ErrNotADatabase, sqlite.ErrNewerSchema, pat.ErrCorrupt,
			} {
				assert.Equal(t, errors.Is(c.want, other), errors.Is(err, other), "%v", other)
			}
			assert.NotContains(t, err.Error(), "secret-name")
			assert.NotContains(t, err.Error(), filepath.Dir(path))
			if before != nil {
				after, err := os.Stat(path)
				require.NoError(t, err)
				assert.Equal(t, before.Mode(), after.Mode(), "what is no database keeps its mode")
			}
			if content != nil {
				assert.Equal(t, content, readFolder(t, filepath.Dir(path)), "it is left as it was, and nothing beside it")
			}
		})
	}
}

func TestAHostsTableThatHasTheNameOfOneOfTheLibrarysIsLeftAsItWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "host.db")
	sqlite.Execute(t, path, "CREATE TABLE pat_schema (x)")
	before := readFolder(t, filepath.Dir(path))
	_, err := sqlite.Open(path)
	require.ErrorContains(t, err, "no such column: version")
	assert.Equal(t, before, readFolder(t, filepath.Dir(path)))

	path = filepath.Join(t.TempDir(), "host.db")
	sqlite.Execute(t, path, "CREATE TABLE pat_tokens (x)")
	_, err = sqlite.Open(path)
	require.ErrorContains(t, err, "table pat_tokens already exists")
	assert.NoFileExists(t, path+"-wal", "no connection is open")
	sqlite.Execute(t, path, "CREATE TABLE pat_schema (x)") // which the library's would be in the way of
}

// A file without its last pages is no database of fewer tokens.
func TestADatabaseThatWasCutShortIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pat.db")
	made(t, path)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	const page = 4096
	for _, size := range []int{
		2, 15, 16, 99, 100, 101, 511, 512, 513, 1024, page - 1, page, page + 1, 2 * page, len(whole) / 2, len(whole) - page - 1, len(whole) - page,
	} {
		require.NoError(t, os.WriteFile(path, whole[:size], 0o600)) //nolint:gosec // the test's own
		s, err := sqlite.Open(path)
		assert.Nil(t, s)
		assert.True(t, errors.Is(err, sqlite.ErrNotADatabase) || errors.Is(err, pat.ErrCorrupt), "%d bytes of %d: %v", size, len(whole), err)
		assert.Equal(t, map[string][]byte{"pat.db": whole[:size]}, readFolder(t, filepath.Dir(path)), "it is left as it was")
	}
}

func TestADatabaseOfANewerSchemaIsLeftAsItWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pat.db")
	made(t, path)
	sqlite.Execute(t, path, "INSERT INTO pat_schema (version, applied_at) VALUES (99, 0)")
	sqlite.Execute(t, path, "PRAGMA journal_mode = DELETE")
	require.NoError(t, os.Chmod(path, 0o640)) //nolint:gosec // the mode has to stay
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	_, err = sqlite.Open(path)
	require.ErrorIs(t, err, sqlite.ErrNewerSchema)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, before, after)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o640), info.Mode().Perm())
}

func TestOpenRefusesBadArguments(t *testing.T) {
	_, err := sqlite.Open("")
	assert.ErrorContains(t, err, "path must not be empty")
	for _, d := range []time.Duration{-1, 0, time.Microsecond, 1000 * 24 * time.Hour} {
		_, err = sqlite.Open(":memory:", sqlite.WithBusyTimeout(d))
		assert.ErrorContains(t, err, "busy timeout must be")
	}
}

func TestOpenGivesUpWhenTheLockIsNotToBeHad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pat.db")
	made(t, path)
	db, err := sql.Open("sqlite3", path)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	_, err = conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	require.NoError(t, err)

	_, err = sqlite.Open(path, sqlite.WithBusyTimeout(20*time.Millisecond))
	assert.ErrorContains(t, err, "locked")
	_, err = conn.ExecContext(t.Context(), "ROLLBACK")
	require.NoError(t, err)
	open(t, path)
}

// create adds a token of user in group.
func create(t testing.TB, s *sqlite.Store) pat.Token {
	t.Helper()
	issuer, err := pat.NewIssuer(s, pat.Config{})
	require.NoError(t, err)
	issued, err := issuer.Create(t.Context(), pat.CreateParams{UserID: "user", GroupID: "group", Name: "name"})
	require.NoError(t, err)
	return issued.Token
}

// made makes a database with a few tokens, and closes it.
func made(t *testing.T, path string) {
	t.Helper()
	s, err := sqlite.Open(path)
	require.NoError(t, err)
	for range 50 {
		create(t, s)
	}
	require.NoError(t, s.Close())
}

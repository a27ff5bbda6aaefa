package pgtest_test

import (
	"context"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/internal/pgtest"
)

// skipped is a test that keeps what it was skipped with.
type skipped struct {
	testing.TB
	with []any
}

func (s *skipped) Skip(args ...any) {
	s.with = args
	runtime.Goexit()
}

func TestWithoutAServerATestIsSkippedWithAWordOnHowToHaveOne(t *testing.T) {
	t.Setenv("PAT_TEST_POSTGRES", "")
	for name, use := range map[string]func(testing.TB){
		"URL":    func(t testing.TB) { pgtest.URL(t) },
		"Pool":   func(t testing.TB) { pgtest.Pool(t) },
		"Schema": func(t testing.TB) { pgtest.Schema(t) },
		"Own":    func(t testing.TB) { pgtest.Own(t) },
	} {
		s := &skipped{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			use(s)
		}()
		<-done
		assert.Equal(t, []any{"no PostgreSQL server: set PAT_TEST_POSTGRES, or run: scripts/postgres go test ./..."}, s.with, name)
	}
}

func TestASchemaIsDroppedWithWhatItHolds(t *testing.T) {
	pool := pgtest.Pool(t)
	exists := func(schema string) (yes bool) {
		err := pool.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", schema).Scan(&yes)
		require.NoError(t, err)
		return yes
	}
	var name string
	t.Run("use", func(t *testing.T) {
		name = pgtest.Schema(t)
		require.NotEqual(t, name, pgtest.Schema(t))
		_, err := pool.Exec(t.Context(), "CREATE SCHEMA "+name+" CREATE TABLE t (n int)")
		require.NoError(t, err)
		require.True(t, exists(name))
	})
	assert.False(t, exists(name))
}

func TestAPoolIsMadeAsTheOptionsSay(t *testing.T) {
	pool := pgtest.Pool(t, func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["application_name"] = "mine" })
	var name string
	require.NoError(t, pool.QueryRow(t.Context(), "SHOW application_name").Scan(&name))
	assert.Equal(t, "mine", name)
}

// within returns a context for a statement, which ends after the time or with the test.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestAServerOfOnesOwnKeepsWhatItHasWhenItIsStopped(t *testing.T) {
	for _, mode := range []string{"fast", "immediate"} {
		t.Run(mode, func(t *testing.T) {
			c := pgtest.Own(t)
			require.NotEqual(t, pgtest.URL(t), c.URL())
			pool := pgtest.PoolTo(t, c.URL())
			_, err := pool.Exec(within(t, patience), "CREATE TABLE t AS SELECT 42 AS n")
			require.NoError(t, err)
			c.Stop(mode)
			_, err = pgx.Connect(within(t, patience), c.URL())
			require.Error(t, err)
			c.Start()
			var n int
			conn, err := pgx.Connect(within(t, patience), c.URL())
			require.NoError(t, err)
			require.NoError(t, conn.QueryRow(within(t, patience), "SELECT n FROM t").Scan(&n))
			assert.Equal(t, 42, n)
			require.NoError(t, conn.Close(within(t, patience)))
		})
	}
}

func TestAServerThatIsFrozenAnswersWhenItIsThawed(t *testing.T) {
	c := pgtest.Own(t)
	pool := pgtest.PoolTo(t, c.URL())
	answers := func(d time.Duration) error { _, err := pool.Exec(within(t, d), "SELECT"); return err }
	require.NoError(t, answers(patience))
	c.Freeze()
	require.ErrorIs(t, answers(moment), context.DeadlineExceeded)                     // the connection that there was
	require.ErrorIs(t, answers(moment), context.DeadlineExceeded, "a new connection") // the other one was given up
	c.Thaw()
	require.NoError(t, answers(patience))
}

func TestAServerOfOnesOwnIsDeletedInWhateverStateItIs(t *testing.T) {
	pgtest.URL(t)
	for name, state := range map[string]func(*pgtest.Cluster){
		"running": func(*pgtest.Cluster) {},
		"stopped": func(c *pgtest.Cluster) { c.Stop("immediate") },
		"frozen":  (*pgtest.Cluster).Freeze,
	} {
		t.Run(name, func(t *testing.T) {
			temporary := t.TempDir()
			for folder := temporary; folder != os.TempDir() && folder != "/"; folder = filepath.Dir(folder) {
				require.NoError(t, os.Chmod(folder, 0o755)) //nolint:gosec // the server may run as another user
			}
			t.Setenv("TMPDIR", temporary)
			var address string
			t.Run("use", func(t *testing.T) {
				c := pgtest.Own(t)
				parsed, err := url.Parse(c.URL())
				require.NoError(t, err)
				address = parsed.Host
				state(c)
				assert.Len(t, entries(t, temporary), 1)
			})
			assert.Empty(t, entries(t, temporary))
			_, err := net.Dial("tcp", address)
			assert.ErrorIs(t, err, syscall.ECONNREFUSED, "a process that is frozen would still have it accepted")
		})
	}
}

func entries(t *testing.T, folder string) []os.DirEntry {
	t.Helper()
	found, err := os.ReadDir(folder)
	require.NoError(t, err)
	return found
}

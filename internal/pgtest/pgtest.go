// Package pgtest gives a test a PostgreSQL server, and the means to make its life hard. Only tests use it.
//
// Most tests share the server that PAT_TEST_POSTGRES names, each in a schema of its own: see [URL], [Pool] and [Schema].
// A test that stops or freezes its server has one to itself: see [Own]. A network that is slow or gone is a [Proxy].
package pgtest

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// variable is the environment variable with the address of the server that the tests share.
const variable = "PAT_TEST_POSTGRES"

// patience is how long what has to be done beside a test may take: far longer than it does.
const patience = time.Minute

// URL returns the address of the server that the tests share, with the rights of a superuser. Where there is none, it
// skips the test.
func URL(t testing.TB) string {
	t.Helper()
	url := os.Getenv(variable)
	if url == "" {
		//nolint:forbidigo // not everybody who runs the tests has PostgreSQL; .ci/run has, and lets nothing be skipped
		t.Skip("no PostgreSQL server: set " + variable + ", or run: scripts/postgres go test ./...")
	}
	return url
}

// Pool returns a pool of connections to the server of [URL], which is closed at the end of the test. The options change
// its configuration.
func Pool(t testing.TB, options ...func(*pgxpool.Config)) *pgxpool.Pool {
	t.Helper()
	return PoolTo(t, URL(t), options...)
}

// PoolTo is [Pool] for another address, such as that of a [Cluster] or a [Proxy].
func PoolTo(t testing.TB, url string, options ...func(*pgxpool.Config)) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	for _, option := range options {
		option(config)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// Schema returns a name that no schema of the server of [URL] has. At the end of the test a schema of that name is
// dropped, with all it holds. What uses it has to be closed before, so call Schema first.
func Schema(t testing.TB) string {
	t.Helper()
	url := URL(t)
	name := "test_" + strings.ToLower(rand.Text())
	t.Cleanup(func() {
		if err := drop(context.WithoutCancel(t.Context()), url, name); err != nil {
			t.Errorf("drop schema %s: %v", name, err)
		}
	})
	return name
}

func drop(ctx context.Context, url, schema string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "DROP SCHEMA IF EXISTS "+pgx.Identifier{schema}.Sanitize()+" CASCADE")
	if closeErr := conn.Close(ctx); err == nil {
		err = closeErr
	}
	return err
}

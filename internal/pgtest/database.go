package pgtest

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Database returns the address of a new, empty database on the server of [URL], for what brings the name of its schema
// along. It is dropped at the end of the test, with the sessions that are left.
func Database(t testing.TB) string {
	t.Helper()
	address, err := url.Parse(URL(t))
	if err != nil {
		t.Fatal(err)
	}
	name := "test_" + strings.ToLower(rand.Text())
	command(t, "CREATE DATABASE "+name)
	t.Cleanup(func() { command(t, "DROP DATABASE "+name+" WITH (FORCE)") })
	address.Path = "/" + name
	return address.String()
}

// command runs a statement on the server of [URL].
func command(t testing.TB, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Error(err)
	}
}

package postgres_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/peer"
	"github.com/patkit/pat/internal/pgtest"
	"github.com/patkit/pat/postgres"
)

// The test binary runs itself as a peer, whose target is the name of a schema, a space, and the address of a server.
func TestMain(m *testing.M) {
	peer.Program{Open: openTarget}.Main(m)
}

func openTarget(target string) (store pat.Store, closeStore func() error, err error) {
	schema, url, _ := strings.Cut(target, " ")
	pool, err := pgxpool.New(context.Background(), url)
	if err != nil {
		return nil, nil, err
	}
	closeStore = func() error { pool.Close(); return nil }
	s, err := postgres.New(context.Background(), pool, postgres.WithSchema(schema))
	if err != nil {
		return nil, nil, err
	}
	return s, closeStore, nil
}

// newTarget returns a store in a schema of its own, and the target by which peers open the same.
func newTarget(t *testing.T) (store pat.Store, target string) {
	t.Helper()
	target = pgtest.Schema(t) + " " + pgtest.URL(t)
	store, closeStore, err := openTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := closeStore(); err != nil {
			t.Error(err)
		}
	})
	return store, target
}

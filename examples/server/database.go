package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/patkit/pat"
	"github.com/patkit/pat/cache"
	"github.com/patkit/pat/postgres"
	"github.com/patkit/pat/sqlite"
)

// database is a store and what ends with it.
type database struct {
	pat.Store
	close func() error
}

// openDatabase opens what the flag -db names.
func openDatabase(ctx context.Context, name string, logger *slog.Logger) (*database, error) {
	if strings.HasPrefix(name, "postgres://") || strings.HasPrefix(name, "postgresql://") {
		db, err := openPostgres(ctx, name, logger)
		if err != nil {
			return nil, fmt.Errorf("open the database: %w", err) // without its name, which may hold a password
		}
		return db, nil
	}
	if strings.Contains(name, "://") || strings.Contains(name, "=") {
		// Such as a misspelt scheme, or the other form of an address that pgx takes. It may hold a password.
		return nil, errors.New("open the database: -db must be a file without :// and = in its name, :memory:, or begin with postgres://")
	}
	store, err := sqlite.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open the database %q: %w", name, err)
	}
	return &database{Store: store, close: store.Close}, nil
}

// openPostgres puts a cache in front of the database, so that most verifications need no round trip to it. What another
// server revokes is felt here within a second at most, and usually within milliseconds.
func openPostgres(ctx context.Context, url string, logger *slog.Logger) (*database, error) {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return nil, err
	}
	store, err := postgres.New(ctx, pool)
	if err != nil {
		pool.Close()
		return nil, err
	}
	cached, err := cache.New(store, cache.OnFeedError(func(err error) {
		logger.WarnContext(ctx, "lost the change feed", "error", err)
	}))
	if err != nil {
		pool.Close()
		return nil, err
	}
	// It goes on while requests are still served after ctx is done.
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	stopped := make(chan error, 1)
	go func() { stopped <- cached.Run(following) }()
	return &database{Store: cached, close: func() error {
		stop()
		err := <-stopped
		pool.Close()
		if errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	}}, nil
}

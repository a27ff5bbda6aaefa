package cache_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/patkit/pat"
	"github.com/patkit/pat/cache"
	"github.com/patkit/pat/memory"
)

func Example() {
	database := memory.New() // in earnest, one that is further away
	store, err := cache.New(database)
	if err != nil {
		panic(err)
	}
	issuer, err := pat.NewIssuer(store, pat.Config{})
	if err != nil {
		panic(err)
	}
	verifier, err := pat.NewVerifier(store, pat.Config{})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	defer func() { _ = verifier.Close(ctx) }()

	issued, err := issuer.Create(ctx, pat.CreateParams{UserID: "alice", GroupID: "1", Name: "deploy"})
	if err != nil {
		panic(err)
	}
	for range 3 {
		tok, err := verifier.Verify(ctx, issued.Value.Reveal())
		fmt.Println(tok.UserID, err)
	}
	fmt.Println("asked the database:", store.Stats().Misses)

	// What is revoked through the cache ends at once, and what is revoked elsewhere, within a second.
	if _, err := issuer.Revoke(ctx, issued.Token.ID); err != nil {
		panic(err)
	}
	_, err = verifier.Verify(ctx, issued.Value.Reveal())
	fmt.Println(errors.Is(err, pat.ErrRevoked))
	// Output:
	// alice <nil>
	// alice <nil>
	// alice <nil>
	// asked the database: 1
	// true
}

// A store that can tell of changes is followed until the process ends. One that can't needs nothing more: each record is
// read again once it is older than the maximum staleness.
func ExampleStore_Run() {
	store, err := cache.New(memory.New(), cache.OnFeedError(func(err error) {
		fmt.Println("the feed broke, and is tried again:", err)
	}))
	if err != nil {
		panic(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- store.Run(ctx) }()

	// serve until the process is told to end, and then:
	stop()
	if err := <-ended; errors.Is(err, cache.ErrNoFeed) {
		fmt.Println(err)
	}
	// Output: cache: the store has no change feed
}

// A longer staleness lets services live through a longer absence of the database, and lets a token that was revoked in
// another process live as long.
func ExampleWithMaxStaleness() {
	_, err := cache.New(memory.New(), cache.WithMaxStaleness(time.Minute))
	fmt.Println(err)
	_, err = cache.New(memory.New(), cache.WithMaxStaleness(24*time.Hour))
	fmt.Println(err)
	// Output:
	// <nil>
	// pat: WithMaxStaleness must be from 10ms to 1h0m0s
}

func ExampleStore_Stats() {
	store, err := cache.New(memory.New())
	if err != nil {
		panic(err)
	}
	for range 3 {
		_, err := store.FindByPrefix(context.Background(), "madeUpPrefix")
		fmt.Println(errors.Is(err, pat.ErrNotFound))
	}
	stats := store.Stats()
	fmt.Println(stats.Misses, stats.AbsentHits)
	fmt.Println(store) // as expvar publishes it
	// Output:
	// true
	// true
	// true
	// 1 2
	// {"hits":0,"absentHits":2,"misses":1,"joined":0,"evictions":0,"entries":0,"feedAlive":false,"feedSessions":0,"feedFailures":0,"feedChanges":0}
}

package sqlite_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/patkit/pat"
	"github.com/patkit/pat/sqlite"
)

func ExampleOpen() {
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()

	store, err := sqlite.Open(filepath.Join(folder, "pat.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = store.Close() }()

	ctx := context.Background()
	issuer, err := pat.NewIssuer(store, pat.Config{})
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := pat.NewVerifier(store, pat.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = verifier.Close(ctx) }()

	issued, err := issuer.Create(ctx, pat.CreateParams{UserID: "alice", GroupID: "1", Name: "deploy"})
	if err != nil {
		log.Fatal(err)
	}
	tok, err := verifier.Verify(ctx, issued.Value.Reveal())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(tok.UserID, tok.Name)
	// Output: alice deploy
}

func ExampleWithBusyTimeout() {
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	path := filepath.Join(folder, "pat.db")

	// A batch program that shares the file with a server can rather wait than fail.
	store, err := sqlite.Open(path, sqlite.WithBusyTimeout(time.Minute))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(store.Close())
	// Output: <nil>
}

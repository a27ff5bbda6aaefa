package main

import (
	"context"
	"fmt"
	"log"

	"github.com/patkit/pat"
	"github.com/patkit/pat/sqlite"
)

func main() {
	ctx := context.Background()
	store := must(sqlite.Open("pat.db"))
	issuer := must(pat.NewIssuer(store, pat.Config{}))
	verifier := must(pat.NewVerifier(store, pat.Config{}))

	issued := must(issuer.Create(ctx, pat.CreateParams{UserID: "alice", GroupID: "1", Name: "laptop"}))
	fmt.Println("hand this to alice, once:", issued.Value.Reveal())

	token, err := verifier.Verify(ctx, issued.Value.Reveal())
	fmt.Println("verified:", token.UserID, token.Name, err)
	fmt.Println("closed:", verifier.Close(ctx), store.Close())
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

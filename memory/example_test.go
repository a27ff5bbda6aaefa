package memory_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/patkit/pat"
	"github.com/patkit/pat/memory"
)

func Example() {
	store := memory.New()
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

	issued, err := issuer.Create(ctx, pat.CreateParams{UserID: "alice", GroupID: "1", Name: "deploy", Scopes: []string{"read"}})
	if err != nil {
		panic(err)
	}
	tok, err := verifier.Verify(ctx, issued.Value.Reveal())
	fmt.Println(tok.UserID, tok.Name, tok.Scopes, err)

	if _, err := issuer.Revoke(ctx, tok.ID); err != nil {
		panic(err)
	}
	_, err = verifier.Verify(ctx, issued.Value.Reveal())
	fmt.Println(errors.Is(err, pat.ErrRevoked))
	// Output:
	// alice deploy read <nil>
	// true
}

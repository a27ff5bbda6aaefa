package storetest_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/patkit/pat"
	"github.com/patkit/pat/memory"
	"github.com/patkit/pat/storetest"
)

// What does a service answer while its store is down?
func ExampleFaulty() {
	ctx := context.Background()
	store := storetest.NewFaulty(memory.New())
	issuer, _ := pat.NewIssuer(store, pat.Config{})
	verifier, _ := pat.NewVerifier(store, pat.Config{})
	issued, _ := issuer.Create(ctx, pat.CreateParams{UserID: "alice", GroupID: "1", Name: "laptop"})

	store.Inject(storetest.EveryCall, storetest.Fail(errors.New("connection refused")))
	_, err := verifier.Verify(ctx, issued.Value.Reveal())
	fmt.Println(err)
	fmt.Println("invalid token:", errors.Is(err, pat.ErrInvalidToken))

	store.Heal()
	_, err = verifier.Verify(ctx, issued.Value.Reveal())
	fmt.Println("after the outage:", err)
	// Output:
	// pat: verify: connection refused
	// invalid token: false
	// after the outage: <nil>
}

// Each call of an operation fails in turn, without the test knowing how many there are: the operation is over when it
// no longer meets the fault.
func ExampleFaulty_Inject() {
	ctx := context.Background()
	store := storetest.NewFaulty(memory.New())
	issuer, _ := pat.NewIssuer(store, pat.Config{})
	issued, _ := issuer.Create(ctx, pat.CreateParams{UserID: "alice", GroupID: "1", Name: "laptop"})

	for n := 1; ; n++ {
		met := store.Inject(n, storetest.Fail(errors.New("connection refused")))
		_, err := issuer.Rotate(ctx, issued.Token.ID, pat.RotateParams{})
		select {
		case <-met:
			fmt.Println(store.Calls(), err)
		default:
			fmt.Println(store.Calls(), "undisturbed:", err)
			return
		}
	}
	// Output:
	// [FindByID] pat: rotate: connection refused
	// [FindByID Rotate] pat: rotate: connection refused
	// [FindByID Rotate] undisturbed: <nil>
}

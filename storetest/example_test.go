package storetest_test

import (
	"testing"

	"github.com/patkit/pat"
	"github.com/patkit/pat/memory"
	"github.com/patkit/pat/storetest"
)

func ExampleRun() { //nolint:testableexamples // a test runs under go test alone
	// In the tests of the store's package this is func TestStore(t *testing.T) { … }.
	testStore := func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) pat.Store {
			store := memory.New()
			t.Cleanup(func() { /* close or delete what the store needs */ })
			return store
		})
	}
	_ = testStore
}

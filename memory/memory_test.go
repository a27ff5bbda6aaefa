package memory_test

import (
	"testing"

	"github.com/patkit/pat"
	"github.com/patkit/pat/memory"
	"github.com/patkit/pat/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) pat.Store { return memory.New() })
}

func BenchmarkStore(b *testing.B) {
	storetest.Benchmark(b, func(*testing.B) pat.Store { return memory.New() })
}

package pat_test

import (
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/testscale"
)

// The store holds every one of the values, so that a change that makes one token's value of another's would show too.
func TestNoChangedValueIsAccepted(t *testing.T) {
	h := newHouse(t, pat.Config{LastUsedInterval: -1})
	values := make([]string, testscale.Rounds(t, 10, 1000))
	for i := range values {
		_, values[i] = h.create(t)
		_, err := h.Verify(t.Context(), values[i])
		assert.NoError(t, err)
	}
	total := int64(0)
	for _, c := range []struct {
		sentence string
		change   func(value string, try func(string))
	}{
		{"one character set to every other byte", setEveryByte},
		{"any stretch of characters taken away, down to nothing", takeAway},
		{"every byte put in at every place, the front and the end included", putIn},
		{"several characters put before or behind", extend},
		{"any two characters swapped", swap},
		{"the case of one letter flipped, of all letters, and of all in one direction", flipCase},
		{"one character of prefix or secret set to every other one of the alphabet, with a new checksum", setAndSeal},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			var next, malformed, disproved atomic.Int64
			var workers sync.WaitGroup
			for range runtime.GOMAXPROCS(0) {
				workers.Go(func() {
					for i := next.Add(1); i <= int64(len(values)) && !t.Failed(); i = next.Add(1) {
						value := values[i-1]
						c.change(value, func(changed string) {
							if changed == value {
								return
							}
							tok, err := h.Verify(t.Context(), changed)
							switch {
							case errors.Is(err, pat.ErrMalformed):
								malformed.Add(1)
							case errors.Is(err, pat.ErrUnknown), errors.Is(err, pat.ErrWrongSecret):
								disproved.Add(1)
							default:
								t.Errorf("%q instead of %q: %v", changed, value, err)
							}
							if tok != (pat.Token{}) {
								t.Errorf("%q instead of %q: a token", changed, value)
							}
						})
					}
				})
			}
			workers.Wait()
			t.Logf("%d changed values of %d: %d refused by their form, %d by the store, none accepted",
				malformed.Load()+disproved.Load(), len(values), malformed.Load(), disproved.Load())
			assert.Positive(t, malformed.Load()+disproved.Load())
			total += malformed.Load() + disproved.Load()
		})
	}
	t.Logf("%d changed values of %d in all", total, len(values))
}

func setEveryByte(value string, try func(string)) {
	for i := range len(value) {
		for c := range 256 {
			try(value[:i] + string([]byte{byte(c)}) + value[i+1:])
		}
	}
}

func takeAway(value string, try func(string)) {
	for from := range len(value) {
		for to := from + 1; to <= len(value); to++ {
			try(value[:from] + value[to:])
		}
	}
}

func putIn(value string, try func(string)) {
	for i := range len(value) + 1 {
		for c := range 256 {
			try(value[:i] + string([]byte{byte(c)}) + value[i:])
		}
	}
}

func extend(value string, try func(string)) {
	for _, more := range []string{"\r\n", "  ", "\x00\x00", "\u00A0", "\u200B", "\uFEFF", "==", "%00", "-0", ".0", value, strings.Repeat("0", 64)} {
		try(value + more)
		try(more + value)
		try(more + value + more)
	}
}

func swap(value string, try func(string)) {
	for i := range len(value) {
		for j := range i {
			b := []byte(value)
			b[i], b[j] = b[j], b[i]
			try(string(b))
		}
	}
}

func flipCase(value string, try func(string)) {
	all := []byte(value)
	for i := range len(value) {
		if c := value[i] | 0x20; 'a' <= c && c <= 'z' {
			all[i] ^= 0x20
			try(value[:i] + string(all[i:i+1]) + value[i+1:])
		}
	}
	try(string(all))
	try(strings.ToUpper(value))
	try(strings.ToLower(value))
}

// setAndSeal makes values that only the store and the digest can refuse.
func setAndSeal(value string, try func(string)) {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	for i := len("pat_"); i < 49; i++ {
		if value[i] == '-' {
			continue
		}
		for _, c := range alphabet {
			try(withChecksum(value[:i] + string(c) + value[i+1:49]))
		}
	}
}

package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

// subject is something that verifies tokens.
type subject struct {
	// verify returns the owner of the token, or an error.
	verify func(ctx context.Context, value string) (owner string, err error)
	// valid is presented, and refused is a value that has to be refused after as much work as there can be.
	valid   []credential
	refused string
}

// credential is a token's value, and the owner that verifying it has to find.
type credential struct {
	value string
	owner string
}

var (
	errRefused = errors.New("refused")
	errAnother = errors.New("another owner's token")
)

// owner returns the name of the i-th owner. Every token has one of its own, so that a wrong answer shows.
func owner(i int) string { return fmt.Sprintf("user-%07d", i) }

// measure runs a subject with one caller, and with one on each core.
func measure(b *testing.B, s subject) {
	b.Helper()
	shuffle(s.valid)
	if _, err := s.verify(b.Context(), s.refused); err == nil {
		b.Fatal("a wrong value was not refused")
	}
	b.Run("callers=one", func(b *testing.B) {
		ctx := b.Context() // can be cancelled, like that of every request to an HTTP server
		loop(b, func(i int) error { return s.check(ctx, i) })
	})
	b.Run("callers=each-core", func(b *testing.B) {
		var started atomic.Int64
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			ctx := b.Context()
			// Each goroutine begins elsewhere, so that none finds in the processor's cache what another has just read.
			for i := int(started.Add(1)) * len(s.valid) / runtime.GOMAXPROCS(0); pb.Next(); i++ {
				if err := s.check(ctx, i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

// check verifies the i-th token, and that the answer is about this one.
func (s *subject) check(ctx context.Context, i int) error {
	presented := &s.valid[i%len(s.valid)]
	found, err := s.verify(ctx, presented.value)
	if err != nil {
		return err
	}
	if found != presented.owner {
		return errAnother
	}
	return nil
}

// shuffle puts credentials into random order, and their text in a row in memory: what a request presents has just been
// read from a socket, so that only what a store holds should be far away.
func shuffle(credentials []credential) {
	rand.Shuffle(len(credentials), func(i, j int) { credentials[i], credentials[j] = credentials[j], credentials[i] })
	var text strings.Builder
	for _, c := range credentials {
		text.WriteString(c.value)
		text.WriteString(c.owner)
	}
	rest := text.String()
	cut := func(n int) (head string) {
		head, rest = rest[:n], rest[n:]
		return head
	}
	for i, c := range credentials {
		credentials[i] = credential{value: cut(len(c.value)), owner: cut(len(c.owner))}
	}
}

// changed returns a value with another letter at i, both of them of base64url.
func changed(value string, i int) string {
	text := []byte(value)
	if text[i] == 'A' {
		text[i] = 'B'
	} else {
		text[i] = 'A'
	}
	return string(text)
}

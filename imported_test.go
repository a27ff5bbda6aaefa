package pat_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/patkit/pat"
)

// blockingHasher holds every comparison until it is let go.
type blockingHasher struct {
	entered chan struct{}
	let     chan struct{}
}

func (*blockingHasher) Algorithm() string  { return "blocking" }
func (*blockingHasher) Check(string) error { return nil }
func (b *blockingHasher) Match(_, _ string) (bool, error) {
	b.entered <- struct{}{}
	<-b.let
	return false, nil
}

func TestSlowComparisonsAreBoundedAndWaitWithinTheirContext(t *testing.T) {
	hasher := &blockingHasher{entered: make(chan struct{}), let: make(chan struct{})}
	h := newHouse(t, importing(pat.Config{Imported: pat.Imported{Hashers: []pat.Hasher{hasher}, MaxConcurrent: 2}}))
	params := importParams(t)
	params.Algorithm = "blocking"
	_, err := h.Import(t.Context(), params)
	require.NoError(t, err)

	var running sync.WaitGroup
	for range 2 {
		running.Go(func() {
			_, err := h.Verify(context.Background(), oldValue)
			assert.ErrorIs(t, err, pat.ErrWrongSecret)
		})
		<-hasher.entered
	}
	ctx, cancel := context.WithCancel(t.Context())
	third := make(chan error)
	go func() {
		_, err := h.Verify(ctx, oldValue)
		third <- err
	}()
	cancel()
	err = <-third
	require.ErrorIs(t, err, context.Canceled, "the third waits, and gives up with its context")
	require.NotErrorIs(t, err, pat.ErrInvalidToken)

	// As many as may wait are waiting when another one is turned away.
	ctx, cancel = context.WithCancel(t.Context())
	turnedAway := make(chan error)
	for range 2*32 + 1 {
		go func() {
			_, err := h.Verify(ctx, oldValue)
			turnedAway <- err
		}()
	}
	err = <-turnedAway
	require.ErrorContains(t, err, "too many")
	require.NotErrorIs(t, err, pat.ErrInvalidToken)
	cancel()
	for range 2 * 32 {
		require.ErrorIs(t, <-turnedAway, context.Canceled)
	}
	close(hasher.let)
	running.Wait()
}

func TestEverySlowComparisonGivesItsPlaceBack(t *testing.T) {
	h := newHouse(t, importing(pat.Config{Imported: pat.Imported{Hashers: []pat.Hasher{hexSHA256{}}, MaxConcurrent: 1}}))
	sum := sha256.Sum256([]byte(oldValue))
	params := importParams(t)
	params.Algorithm, params.Digest = "sha256-hex", hex.EncodeToString(sum[:])
	_, err := h.Import(t.Context(), params)
	require.NoError(t, err)
	for range 100 { // more than may run and wait
		_, err := h.Verify(t.Context(), oldValue+"x")
		requireReason(t, err, pat.ErrWrongSecret)
	}
	_, err = h.Verify(t.Context(), oldValue)
	require.NoError(t, err)
}

func TestAValueOfOurFormNeverRunsASlowHash(t *testing.T) {
	hasher := &blockingHasher{} // would block for ever
	h := newHouse(t, importing(pat.Config{Imported: pat.Imported{Hashers: []pat.Hasher{hasher}}}))
	_, value := newHouse(t, pat.Config{}).create(t)
	params := importParams(t)
	params.LookupKey, params.Algorithm = value[4:16], "blocking"
	_, err := h.Import(t.Context(), params)
	require.NoError(t, err)
	_, err = h.Verify(t.Context(), value)
	requireReason(t, err, pat.ErrWrongSecret)
}

func TestBcryptComparesTheWholeValueOrNothing(t *testing.T) {
	long := strings.Repeat("v", 72)
	digest := bcryptOf(t, long, bcrypt.MinCost)
	for value, want := range map[string]bool{
		long: true, long + "x": false, long[:71]: false, long[:71] + "x": false, long + "\x00" + long: false,
	} {
		match, err := pat.Bcrypt().Match(digest, value)
		require.NoError(t, err)
		assert.Equal(t, want, match, "%d bytes", len(value))
	}
}

// bcrypt goes round in its key: to it, "v", "v\x00v" and "v\x00v\x00v" are one.
func TestBcryptTakesNoRepetitionForTheValue(t *testing.T) {
	digest := bcryptOf(t, "short", bcrypt.MinCost)
	require.NoError(t, bcrypt.CompareHashAndPassword([]byte(digest), []byte("short\x00short")))
	match, err := pat.Bcrypt().Match(digest, "short\x00short")
	require.NoError(t, err)
	assert.False(t, match)
}

func TestBcryptRefusesWhatIsNoDigest(t *testing.T) {
	good := bcryptOf(t, "v", bcrypt.MinCost)
	require.NoError(t, pat.Bcrypt().Check(good))
	require.NoError(t, pat.Bcrypt().Check("$2b$14$"+good[7:]))
	for name, encoded := range map[string]string{
		"nothing":               "",
		"other characters":      "$2a$10$" + strings.Repeat("!", 53),
		"one character less":    good[:59],
		"one character more":    good + "a",
		"a line feed behind it": good + "\n",
		"another version":       "$2x$" + good[4:],
		"a cost of one digit":   "$2a$4$" + good[7:],
		"a cost too low":        "$2a$03$" + good[7:],
		"a cost too high":       "$2a$15$" + good[7:],
	} {
		requireArgument(t, pat.Bcrypt().Check(encoded), "digest")
		_, err := pat.Bcrypt().Match(encoded, "v")
		require.ErrorIs(t, err, pat.ErrCorrupt, name)
	}
}

func TestArgon2idRefusesCostsThatWouldTakeTheMachine(t *testing.T) {
	const salt, hash = "c29tZXNhbHRzb21lc2FsdA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	digest := func(parameters string) string { return "$argon2id$v=19$" + parameters + "$" + salt + "$" + hash }
	require.NoError(t, pat.Argon2id().Check(digest("m=65536,t=3,p=4")))
	require.NoError(t, pat.Argon2id().Check(digest("m=262144,t=16,p=16")))
	require.NoError(t, pat.Argon2id().Check(digest("m=32,t=1,p=4")), "RFC 9106 asks for 8 KiB a lane")
	for name, encoded := range map[string]string{
		"too much memory":       digest("m=262145,t=1,p=1"),
		"far too much memory":   digest("m=4294967295,t=1,p=1"),
		"too many passes":       digest("m=64,t=17,p=1"),
		"too many lanes":        digest("m=1024,t=1,p=17"),
		"no passes":             digest("m=64,t=0,p=1"),
		"no lanes":              digest("m=64,t=1,p=0"),
		"less memory than 8p":   digest("m=31,t=1,p=4"),
		"a short salt":          "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$" + hash,
		"a short hash":          "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$AAAA",
		"another version":       "$argon2id$v=16$m=64,t=1,p=1$" + salt + "$" + hash,
		"another variant":       "$argon2i$v=19$m=64,t=1,p=1$" + salt + "$" + hash,
		"base64 with a loose 1": "$argon2id$v=19$m=64,t=1,p=1$" + salt[:21] + "B$" + hash,
		"something behind it":   digest("m=64,t=1,p=1") + "\n",
		"nothing":               "",
	} {
		t.Run(name, func(t *testing.T) {
			err := pat.Argon2id().Check(encoded)
			requireArgument(t, err, "digest")
			match, err := pat.Argon2id().Match(encoded, "value")
			require.ErrorIs(t, err, pat.ErrCorrupt)
			assert.False(t, match)
		})
	}
	match, err := pat.Bcrypt().Match("$2a$31$"+strings.Repeat("a", 53), "value")
	require.ErrorIs(t, err, pat.ErrCorrupt)
	assert.False(t, match)
}

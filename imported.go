package pat

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// Imported lets a [Verifier] accept tokens that an older system issued and that [Issuer.Import] took over. The zero
// Imported accepts none.
type Imported struct {
	// LookupKey returns, for a presented value that has not this library's form, the key under which the token was
	// imported (its Token.Prefix), or false for a value that is not of the older form either. The key must be a
	// public part of the value, or a hash of it; never the secret itself. It is called concurrently, on values of at
	// most 1,024 bytes that anybody may have sent.
	//
	// Values of the older form must be as hard to guess as this library's: at least 128 random bits.
	LookupKey func(value string) (key string, ok bool)
	// Hashers are the algorithms that digests of imported tokens may have.
	Hashers []Hasher
	// MaxConcurrent is how many comparisons of Hashers may run at once in a Verifier. Zero means half of the
	// processors that Go uses, so that a flood of wrong secrets leaves room for everything else. Some more wait
	// within their context; beyond that, a verification fails with an error that is not ErrInvalidToken.
	MaxConcurrent int
}

// Hasher compares presented values with digests of an older system. [Bcrypt] and [Argon2id] are at hand; a host can
// write others. It is safe for concurrent use.
type Hasher interface {
	// Algorithm is the name that digests of this hasher bear: 1 to 32 lower-case letters, digits and '-', other than
	// "sha256" and "hmac-sha256", and always the same.
	Algorithm() string
	// Check returns an error if encoded is not a digest that Match can compare at bearable cost.
	Check(encoded string) error
	// Match reports whether encoded is a digest of value. The comparison takes the same time for every wrong value.
	Match(encoded, value string) (bool, error)
}

const maxImportedValueLength = 1024

// maxWaiting is how many comparisons may wait for each that runs. With bcrypt at cost 10 the last of them waits for
// two seconds; more would only fill the memory.
const maxWaiting = 32

// slowHashers runs the hashers of imported tokens, a few at a time.
type slowHashers struct {
	byAlgorithm map[string]Hasher
	running     chan struct{}
	admitted    chan struct{} // those that run and those that wait
}

func newSlowHashers(imported Imported) (*slowHashers, error) {
	if imported.MaxConcurrent < 0 {
		return nil, invalid("Config.Imported.MaxConcurrent", "must not be negative")
	}
	if (imported.LookupKey == nil) != (len(imported.Hashers) == 0) {
		return nil, invalid("Config.Imported", "must have both LookupKey and Hashers, or neither")
	}
	atOnce := imported.MaxConcurrent
	if atOnce == 0 {
		atOnce = max(1, runtime.GOMAXPROCS(0)/2)
	}
	s := &slowHashers{
		byAlgorithm: make(map[string]Hasher),
		running:     make(chan struct{}, atOnce),
		admitted:    make(chan struct{}, atOnce*(1+maxWaiting)),
	}
	for i, hasher := range imported.Hashers {
		field := fmt.Sprintf("Config.Imported.Hashers[%d]", i)
		if isNil(hasher) {
			return nil, invalid(field, "must not be nil")
		}
		name := hasher.Algorithm()
		if !isAlgorithm(name) || name == algorithmSHA256 || name == algorithmHMAC {
			return nil, invalid(field+".Algorithm", "must be 1 to 32 lower-case letters, digits and '-', and not one of this library's own")
		}
		if s.byAlgorithm[name] != nil {
			return nil, invalid(field+".Algorithm", "must not be used by two hashers")
		}
		s.byAlgorithm[name] = hasher
	}
	return s, nil
}

// knows reports whether the digest is of an enabled algorithm.
func (s *slowHashers) knows(d Digest) bool { return s.byAlgorithm[d.Algorithm()] != nil }

func (s *slowHashers) match(ctx context.Context, d Digest, value string) (bool, error) {
	hasher := s.byAlgorithm[d.Algorithm()]
	if hasher == nil {
		return false, errors.New("pat: a stored digest has an algorithm that Config.Imported.Hashers does not have")
	}
	select {
	case s.admitted <- struct{}{}:
		defer func() { <-s.admitted }()
	default:
		return false, errors.New("pat: too many comparisons of imported tokens are waiting")
	}
	select {
	case s.running <- struct{}{}:
		defer func() { <-s.running }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	return hasher.Match(d.sum(), value)
}

// Bcrypt returns the hasher "bcrypt" for digests in the form $2a$10$… (also 2b and 2y), up to cost 14.
//
// bcrypt reads no more than 72 bytes, and takes a value, a NUL and the value again for the value. So a value that is
// longer, or has a NUL, never matches.
func Bcrypt() Hasher { return bcryptHasher{} }

type bcryptHasher struct{}

// Cost 14 takes about a second. Each step above doubles that, and anybody can send a wrong secret.
const (
	maxBcryptCost   = 14
	maxBcryptLength = 72
)

var bcryptForm = regexp.MustCompile(`\A\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}\z`)

func (bcryptHasher) Algorithm() string { return "bcrypt" }

func (bcryptHasher) Check(encoded string) error {
	cost, err := bcrypt.Cost([]byte(encoded))
	if err != nil || cost > maxBcryptCost || !bcryptForm.MatchString(encoded) {
		return invalid("digest", "must be a bcrypt string of 60 bytes with a cost of at most 14")
	}
	return nil
}

func (h bcryptHasher) Match(encoded, value string) (bool, error) {
	if err := h.Check(encoded); err != nil {
		return false, fmt.Errorf("%w: digest: %w", ErrCorrupt, err)
	}
	if len(value) > maxBcryptLength || strings.Contains(value, "\x00") {
		return false, nil
	}
	err := bcrypt.CompareHashAndPassword([]byte(encoded), []byte(value))
	if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return false, nil
	}
	return err == nil, err
}

// Argon2id returns the hasher "argon2id" for digests in the PHC string format,
// $argon2id$v=19$m=…,t=…,p=…$salt$hash, with at most 256 MiB of memory, 16 passes, 16 lanes, a salt of 8 to 64
// bytes and a hash of 16 to 64 bytes.
func Argon2id() Hasher { return argon2idHasher{} }

type argon2idHasher struct{}

const (
	maxArgon2Memory = 256 * 1024 // KiB
	maxArgon2Passes = 16
	maxArgon2Lanes  = 16
)

var argon2idForm = regexp.MustCompile(
	`^\$argon2id\$v=19\$m=([1-9][0-9]{0,5}),t=([1-9][0-9]?),p=([1-9][0-9]?)\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$`)

type argon2idDigest struct {
	memory, passes uint32
	lanes          uint8
	salt, hash     []byte
}

func parseArgon2id(encoded string) (argon2idDigest, error) {
	failed := invalid("digest", "must be an Argon2id string within the bounds that Argon2id names")
	m := argon2idForm.FindStringSubmatch(encoded)
	if m == nil {
		return argon2idDigest{}, failed
	}
	// The expression bounds the digits, so that these can't fail.
	memory, _ := strconv.ParseUint(m[1], 10, 32)
	passes, _ := strconv.ParseUint(m[2], 10, 32)
	lanes, _ := strconv.ParseUint(m[3], 10, 8)
	salt, saltErr := base64.RawStdEncoding.Strict().DecodeString(m[4])
	hash, hashErr := base64.RawStdEncoding.Strict().DecodeString(m[5])
	if memory > maxArgon2Memory || memory < 8*lanes || passes > maxArgon2Passes || lanes > maxArgon2Lanes ||
		saltErr != nil || hashErr != nil {
		return argon2idDigest{}, failed
	}
	return argon2idDigest{uint32(memory), uint32(passes), uint8(lanes), salt, hash}, nil
}

func (argon2idHasher) Algorithm() string { return "argon2id" }

func (argon2idHasher) Check(encoded string) error {
	_, err := parseArgon2id(encoded)
	return err
}

func (argon2idHasher) Match(encoded, value string) (bool, error) {
	d, err := parseArgon2id(encoded)
	if err != nil {
		return false, fmt.Errorf("%w: digest: %w", ErrCorrupt, err)
	}
	sum := argon2.IDKey([]byte(value), d.salt, d.passes, d.memory, d.lanes, uint32(len(d.hash)))
	return subtle.ConstantTimeCompare(sum, d.hash) == 1, nil
}

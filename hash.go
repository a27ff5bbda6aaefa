package pat

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"hash"
	"sync"
)

// PepperKey is a secret key for HMAC-SHA-256 digests. With one, a copy of the database alone is not enough to test
// guesses. It is no protection against somebody who can write to the database: a row's owner, scopes and times are not
// covered by its digest.
type PepperKey struct {
	// ID names the key in each digest made with it: 1 to 32 letters, digits, '-', '_' and '.'. It is public, and
	// must never be given to another key.
	ID string
	// Key is at least 32 bytes (the output size of SHA-256, as RFC 2104 section 3 advises), made at random. Get it from
	// [NewSecret].
	Key Secret
}

const minPepperLength = 32

// The algorithms of tokens that this library issues.
const (
	algorithmSHA256 = "sha256"
	algorithmHMAC   = "hmac-sha256"

	sha256Header = algorithmSHA256 + "$$"
)

// hashers computes and compares digests. It can't be changed once made.
type hashers struct {
	current *pepper            // nil: plain SHA-256
	peppers map[string]*pepper // by key id, the current one included
	slow    *slowHashers       // for imported tokens
	dummy   Digest             // of random bytes, in the current algorithm
}

func newHashers(keys []PepperKey, imported Imported) (*hashers, error) {
	h := &hashers{peppers: make(map[string]*pepper, len(keys))}
	for i, key := range keys {
		field := fmt.Sprintf("Config.PepperKeys[%d]", i)
		if !isKeyID(key.ID) {
			return nil, invalid(field+".ID", "must be 1 to 32 letters, digits, '-', '_' and '.'")
		}
		if len(key.Key.Reveal()) < minPepperLength {
			return nil, invalid(field+".Key", "must be at least 32 bytes long")
		}
		if h.peppers[key.ID] != nil {
			return nil, invalid(field+".ID", "must not be used by two keys")
		}
		h.peppers[key.ID] = newPepper(key)
		if i == 0 {
			h.current = h.peppers[key.ID]
		}
	}
	slow, err := newSlowHashers(imported)
	if err != nil {
		return nil, err
	}
	h.slow = slow
	// The dummy is random, and not a constant or the digest of nothing, so that nobody knows a value that matches it.
	var random [sha256.Size]byte
	_, _ = rand.Read(random[:])
	if h.current == nil {
		h.dummy = makeDigest(algorithmSHA256, "", random[:])
	} else {
		h.dummy = makeDigest(algorithmHMAC, h.current.id, random[:])
	}
	return h, nil
}

// digest computes the digest of a value in the current algorithm.
func (h *hashers) digest(value string) Digest {
	if h.current != nil {
		sum := h.current.sum(value)
		return makeDigest(algorithmHMAC, h.current.id, sum[:])
	}
	sum := sha256Sum(value)
	return makeDigest(algorithmSHA256, "", sum[:])
}

// isCurrent reports whether a new digest would be made in the same way, so that there is nothing to upgrade.
func (h *hashers) isCurrent(d Digest) bool {
	if h.current == nil {
		return isPlain(d)
	}
	return d.Algorithm() == algorithmHMAC && d.KeyID() == h.current.id
}

// matchFast compares a value with a digest of one of this library's own algorithms. known is false for any other
// algorithm. An error means that the answer can't be had.
func (h *hashers) matchFast(d Digest, value string) (match, known bool, err error) {
	if isPlain(d) {
		return matchPlain(d, value), true, nil
	}
	switch d.Algorithm() {
	case algorithmHMAC:
		key := h.peppers[d.KeyID()]
		if key == nil {
			return false, true, fmt.Errorf("pat: a stored digest names a pepper key that Config.PepperKeys does not have")
		}
		stored := d.sum()
		if len(stored) != sha256.Size {
			return false, true, fmt.Errorf("%w: digest", ErrCorrupt)
		}
		sum := key.sum(value)
		return equal(stored, &sum), true, nil
	case algorithmSHA256, "":
		return false, true, fmt.Errorf("%w: digest", ErrCorrupt)
	}
	return false, false, nil
}

// matchDummy does the work of a comparison that fails.
func (h *hashers) matchDummy(value string) {
	_, _, _ = h.matchFast(h.dummy, value)
}

// matchPlain compares a value with a digest of which isPlain is true.
func matchPlain(d Digest, value string) bool {
	sum := sha256Sum(value)
	return equal(d.encoded[len(sha256Header):], &sum)
}

func isPlain(d Digest) bool {
	return len(d.encoded) == len(sha256Header)+sha256.Size && d.encoded[:len(sha256Header)] == sha256Header
}

// equal compares in constant time. Both sides are digests of equal length, so that neither the secret nor its length
// leaks through the time taken.
func equal(stored string, computed *[sha256.Size]byte) bool {
	return subtle.ConstantTimeCompare(bytesOf(stored), computed[:]) == 1
}

func sha256Sum(value string) [sha256.Size]byte { return sha256.Sum256(bytesOf(value)) }

// pepper computes HMAC-SHA-256 under one key. It reuses its states, because making one costs four allocations.
type pepper struct {
	id     string
	states sync.Pool // of *pepperState
}

type pepperState struct {
	mac hash.Hash
	sum [sha256.Size]byte
}

func newPepper(key PepperKey) *pepper {
	secret := []byte(key.Key.Reveal())
	return &pepper{id: key.ID, states: sync.Pool{New: func() any {
		s := &pepperState{mac: hmac.New(sha256.New, secret)}
		s.mac.Reset() // the first one saves the state that later ones restore, the buffer with it
		return s
	}}}
}

func (p *pepper) sum(value string) [sha256.Size]byte {
	s := p.states.Get().(*pepperState)
	defer func() {
		s.mac.Reset() // its buffer holds a part of the value, and what is pooled must hold none
		p.states.Put(s)
	}()
	_, _ = s.mac.Write(bytesOf(value)) // hash.Hash never returns an error
	s.mac.Sum(s.sum[:0])
	return s.sum
}

package pat

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// oneRecord is a store with one record, which counts its look-ups.
type oneRecord struct {
	Store
	rec     Record
	lookups int
}

func (s *oneRecord) FindByPrefix(_ context.Context, prefix string) (Record, error) {
	s.lookups++
	if prefix != s.rec.Token.Prefix {
		return Record{}, ErrNotFound
	}
	return s.rec, nil
}

// countedHash counts how often a digest is computed.
type countedHash struct {
	hash.Hash
	sums *int
}

func (h countedHash) Sum(b []byte) []byte {
	*h.sums++
	return h.Hash.Sum(b)
}

func TestEveryRefusalOfAWellFormedValueDoesTheSameWork(t *testing.T) {
	value, prefix := newValue()
	unknown, _ := newValue()
	wrongSecret := value[:secretStart] + unknown[secretStart:checksumStart]
	wrongSecret = string(appendBase62([]byte(wrongSecret), checksum(wrongSecret)))

	store := &oneRecord{}
	v, err := NewVerifier(store, Config{
		PepperKeys: []PepperKey{pepperKey("k1")}, LastUsedInterval: -1,
		Imported: Imported{LookupKey: func(string) (string, bool) { return "", false }, Hashers: []Hasher{Bcrypt()}},
	})
	require.NoError(t, err)
	stored := Token{ID: "0199c0de-0000-7000-8000-000000000001", UserID: "alice", GroupID: "1", Prefix: prefix}
	fast := Record{Token: stored, Digest: v.hashers.digest(value)}
	slow := Record{Token: fast.Token, Digest: makeDigest("bcrypt", "", []byte("x"))}

	sums := 0
	key := pepperKey("k1").Key
	v.hashers.peppers["k1"].states.Get() // the one that digest above has used, which does not count
	v.hashers.peppers["k1"].states.New = func() any {
		return &pepperState{mac: countedHash{hmac.New(sha256.New, key), &sums}}
	}
	for name, c := range map[string]struct {
		rec    Record
		value  string
		reason error
	}{
		"a wrong secret":                    {fast, wrongSecret, ErrWrongSecret},
		"an unknown prefix":                 {fast, unknown, ErrUnknown},
		"a value that hits an imported key": {slow, value, ErrWrongSecret},
	} {
		t.Run(name, func(t *testing.T) {
			store.rec, store.lookups, sums = c.rec, 0, 0
			_, err := v.Verify(t.Context(), c.value)
			require.ErrorIs(t, err, c.reason)
			assert.Equal(t, 1, store.lookups)
			assert.Equal(t, 1, sums)
		})
	}
}

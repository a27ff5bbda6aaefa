package pat

import (
	"context"
	"errors"
	"hash"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// oneRecord is a store with one record, which counts its look-ups. Any other method of it panics.
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

// countedHash counts how often an HMAC is computed.
type countedHash struct {
	hash.Hash
	sums *int
}

func (h countedHash) Sum(b []byte) []byte {
	*h.sums++
	return h.Hash.Sum(b)
}

// countHMACs counts the uses of all pepper keys from now on.
func countHMACs(h *hashers, sums *int) {
	for _, key := range h.peppers {
		made := key.states.New
		key.states.New = func() any {
			s := made().(*pepperState)
			s.mac = countedHash{s.mac, sums}
			return s
		}
	}
}

// refusal is one way in which a well-formed value comes to be refused.
type refusal struct {
	cfg    Config
	stored func(value string) Digest // of the token that is there
	value  string
	reason error
}

// The token that is there, and two values that are not its own.
var (
	refusedToken   = Token{ID: "01234567-89ab-7def-8123-456789abcdef", UserID: "user", GroupID: "group", Prefix: "0QJG9EqYRifx"}
	refusedRight   = refusedValue("pat_0QJG9EqYRifx-", "uSysxGgWNcmcp8J9AbhOqlMxpOXHIj2Q")
	refusedWrong   = refusedValue("pat_0QJG9EqYRifx-", "uSysxGgWNcmcp8J9AbhOqlMxpOXHIj2q")
	refusedUnknown = refusedValue("pat_0QJG9EqYRifX-", "uSysxGgWNcmcp8J9AbhOqlMxpOXHIj2Q")
)

func refusedValue(start, secret string) string {
	return string(appendBase62([]byte(start+secret), checksum(start+secret)))
}

// refusals are all of them, by the hashing that is configured and by cause.
func refusals(t *testing.T) map[string]map[string]refusal {
	t.Helper()
	k1, k2 := pepperKey("k1"), pepperKey("k2")
	imported := Imported{LookupKey: func(string) (string, bool) { return "", false }, Hashers: []Hasher{Bcrypt(), Argon2id()}}
	all := make(map[string]map[string]refusal)
	for _, c := range []struct {
		name string
		cfg  Config
		made []PepperKey // the keys with which the stored digest was made
	}{
		{"SHA-256", Config{}, nil},
		{"the current pepper key", Config{PepperKeys: []PepperKey{k2, k1}}, []PepperKey{k2}},
		{"an old pepper key", Config{PepperKeys: []PepperKey{k2, k1}}, []PepperKey{k1}},
		{"SHA-256 from before the pepper", Config{PepperKeys: []PepperKey{k1}}, nil},
		{"SHA-256 beside imported tokens", Config{Imported: imported}, nil},
		{"a pepper key beside imported tokens", Config{Imported: imported, PepperKeys: []PepperKey{k1}}, []PepperKey{k1}},
	} {
		digest := hashersOf(t, c.made...).digest
		c.cfg.LastUsedInterval = -1
		all[c.name] = map[string]refusal{
			"an unknown prefix": {c.cfg, digest, refusedUnknown, ErrUnknown},
			"a wrong secret":    {c.cfg, digest, refusedWrong, ErrWrongSecret},
		}
		if c.cfg.Imported.Hashers != nil {
			slow := func(string) Digest { return makeDigest("bcrypt", "", []byte("x")) }
			all[c.name]["a value that hits an imported key"] = refusal{c.cfg, slow, refusedRight, ErrWrongSecret}
		}
	}
	return all
}

// refuseVariable names one refusal and how often it happens: "hashing/cause/times". Empty means each of them once.
const refuseVariable = "PAT_TEST_REFUSE"

func TestEveryRefusalOfAWellFormedValueAsksTheStoreOnce(t *testing.T) {
	only, times := "", 1
	if asked := os.Getenv(refuseVariable); asked != "" {
		var err error
		at := strings.LastIndex(asked, "/")
		only = asked[:at]
		times, err = strconv.Atoi(asked[at+1:])
		require.NoError(t, err)
	}
	for hashing, causes := range refusals(t) {
		for cause, r := range causes {
			name := hashing + "/" + cause
			if only != "" && only != name {
				continue
			}
			t.Run(name, func(t *testing.T) {
				store := &oneRecord{rec: Record{Token: refusedToken, Digest: r.stored(refusedRight)}}
				v, err := NewVerifier(store, r.cfg)
				require.NoError(t, err)
				sums := 0
				countHMACs(v.hashers, &sums)
				for range times {
					_, err := v.Verify(t.Context(), r.value)
					require.ErrorIs(t, err, r.reason)
				}
				assert.Equal(t, times, store.lookups)
				if plain := r.stored("").Algorithm() == algorithmSHA256; r.cfg.PepperKeys != nil && (!plain || errors.Is(r.reason, ErrUnknown)) {
					assert.Equal(t, times, sums, "HMACs; TestEveryRefusalOfAWellFormedValueDoesTheSameWork counts the rest")
				}
			})
		}
	}
}

package pat

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func hashersOf(t *testing.T, keys ...PepperKey) *hashers {
	t.Helper()
	h, err := newHashers(keys, Imported{})
	require.NoError(t, err)
	return h
}

func pepperKey(id string) PepperKey {
	return PepperKey{ID: id, Key: NewSecret(strings.Repeat(id, 32)[:32])}
}

func TestDigestsAreTheStandardOnes(t *testing.T) {
	for _, length := range []int{1, 54, 55, 56, 110, 111, 500} {
		value := strings.Repeat("v", length)
		plain := sha256.Sum256([]byte(value))
		assert.Equal(t, "sha256$$"+string(plain[:]), hashersOf(t).digest(value).Encoded())

		key := pepperKey("k1")
		mac := hmac.New(sha256.New, []byte(key.Key.Reveal()))
		mac.Write([]byte(value))
		assert.Equal(t, "hmac-sha256$k1$"+string(mac.Sum(nil)), hashersOf(t, key).digest(value).Encoded())
	}
}

func TestDigestMatchesItsOwnValueOnly(t *testing.T) {
	for name, h := range map[string]*hashers{"plain": hashersOf(t), "peppered": hashersOf(t, pepperKey("k1"))} {
		t.Run(name, func(t *testing.T) {
			d := h.digest("value one")
			for value, want := range map[string]bool{"value one": true, "value two": false, "": false, "value one ": false} {
				match, _, err := h.matchFast(d, value)
				require.NoError(t, err)
				assert.Equal(t, want, match)
			}
		})
	}
}

func TestEveryBitOfADigestCounts(t *testing.T) {
	h := hashersOf(t)
	encoded := []byte(h.digest("value").Encoded())
	for i := len(sha256Header); i < len(encoded); i++ {
		for bit := range 8 {
			encoded[i] ^= 1 << bit
			match, _, err := h.matchFast(Digest{string(encoded)}, "value")
			require.NoError(t, err)
			require.False(t, match)
			encoded[i] ^= 1 << bit
		}
	}
}

func TestADigestThatCannotBeComparedIsAnErrorAndNoMismatch(t *testing.T) {
	h := hashersOf(t, pepperKey("k1"))
	for name, d := range map[string]Digest{
		"of a key that is not there": makeDigest(algorithmHMAC, "k2", make([]byte, 32)),
		"too short":                  makeDigest(algorithmSHA256, "", make([]byte, 31)),
		"too long":                   makeDigest(algorithmSHA256, "", make([]byte, 33)),
		"peppered and too short":     makeDigest(algorithmHMAC, "k1", make([]byte, 31)),
		"plain with a key id":        makeDigest(algorithmSHA256, "k1", make([]byte, 32)),
		"the zero Digest":            {},
	} {
		t.Run(name, func(t *testing.T) {
			match, _, err := h.matchFast(d, "value")
			require.Error(t, err)
			assert.False(t, match)
			assert.NotErrorIs(t, err, ErrInvalidToken)
		})
	}
}

func TestPepperKeysRotate(t *testing.T) {
	plain, first := hashersOf(t), hashersOf(t, pepperKey("k1"))
	both := hashersOf(t, pepperKey("k2"), pepperKey("k1"))
	for _, old := range []*hashers{plain, first} {
		d := old.digest("value")
		match, _, err := both.matchFast(d, "value")
		require.NoError(t, err)
		assert.True(t, match, "older digests are still accepted")
		assert.False(t, both.isCurrent(d))
	}
	assert.Equal(t, "k2", both.digest("value").KeyID(), "the first key makes new digests")
	assert.True(t, both.isCurrent(both.digest("value")))
	assert.True(t, plain.isCurrent(plain.digest("value")))
	assert.False(t, plain.isCurrent(first.digest("value")))
}

func TestTheDummyIsRandomAndOfTheCurrentAlgorithm(t *testing.T) {
	a, b := hashersOf(t), hashersOf(t)
	assert.NotEqual(t, a.dummy, b.dummy)
	assert.True(t, a.isCurrent(a.dummy))
	peppered := hashersOf(t, pepperKey("k1"))
	assert.True(t, peppered.isCurrent(peppered.dummy))
	for _, guess := range []string{"", "dummy", a.dummy.Encoded(), a.dummy.sum()} {
		match, _, err := a.matchFast(a.dummy, guess)
		require.NoError(t, err)
		assert.False(t, match)
	}
}

// The ID is public, and tells which key a log line is about.
func TestAPepperKeyPrintsItsIDAndNoKey(t *testing.T) {
	assert.Equal(t, "{k1 [redacted]}", fmt.Sprint(pepperKey("k1")))
	encoded, err := json.Marshal(pepperKey("k1"))
	require.NoError(t, err)
	assert.JSONEq(t, `{"ID":"k1","Key":"[redacted]"}`, string(encoded))
}

// What is pooled must not keep a value in memory, neither here nor in the buffers of the hash.
func TestAPooledStateHoldsNoValue(t *testing.T) {
	h := hashersOf(t, pepperKey("k1"))
	state := h.current.states.New().(*pepperState)
	h.current.states.New = func() any { return state }
	for range 2 { // the first use and a later one take different ways through crypto/hmac
		value, _ := newValue()
		h.digest(value)
		assert.NotContains(t, string(bytesWithin(reflect.ValueOf(state), nil)), value[secretStart:secretStart+8])
	}
	value, _ := newValue()
	_, _ = state.mac.Write([]byte(value))
	assert.Contains(t, string(bytesWithin(reflect.ValueOf(state), nil)), value, "the test can see what is there")
}

// bytesWithin appends all arrays and slices of bytes that can be reached from v.
func bytesWithin(v reflect.Value, found []byte) []byte {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return bytesWithin(v.Elem(), found)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			found = bytesWithin(v.Field(i), found)
		}
	case reflect.Array, reflect.Slice:
		for i := range v.Len() {
			if v.Type().Elem().Kind() == reflect.Uint8 {
				found = append(found, byte(v.Index(i).Uint()))
			} else {
				found = bytesWithin(v.Index(i), found)
			}
		}
	default: // nothing that holds bytes
	}
	return found
}

func TestUnlessToldOtherwiseHalfOfTheProcessorsCompareSlowDigests(t *testing.T) {
	for processors, want := range map[int]int{1: 1, 2: 1, 3: 1, 4: 2, 9: 4} {
		previous := runtime.GOMAXPROCS(processors)
		h, err := newHashers(nil, Imported{})
		runtime.GOMAXPROCS(previous)
		require.NoError(t, err)
		assert.Equal(t, want, cap(h.slow.running))
	}
}

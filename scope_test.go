package pat

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func scopesOf(t testing.TB, list ...string) Scopes {
	t.Helper()
	s, err := NewScopes(list...)
	require.NoError(t, err)
	return s
}

func TestNewScopesKeepsTheOrderAndDropsRepeats(t *testing.T) {
	s := scopesOf(t, "b", "a", "b", "c", "a")
	assert.Equal(t, []string{"b", "a", "c"}, s.Slice())
	assert.Equal(t, "b a c", s.String())
	assert.Equal(t, scopesOf(t, "b", "a", "c"), s)
	assert.NotEqual(t, scopesOf(t, "a", "b", "c"), s)
	assert.True(t, s.Contains("a"))
	assert.False(t, s.Contains("b a"), "a scope never has a space")
	assert.False(t, s.Contains(""))
	assert.False(t, s.IsZero())
	for range s.All() {
		break // leaving early is allowed
	}
}

func TestTheZeroScopesAreEmpty(t *testing.T) {
	var s Scopes
	assert.True(t, s.IsZero())
	assert.Equal(t, s, scopesOf(t))
	assert.Equal(t, []string{}, s.Slice())
	encoded, err := json.Marshal(s)
	require.NoError(t, err)
	assert.Equal(t, "[]", string(encoded))
}

func TestNewScopesRefusesWhatIsNoScopeToken(t *testing.T) {
	for name, list := range map[string][]string{
		"an empty one":               {""},
		"one with a space":           {"a b"},
		"one with a quote":           {`a"b`},
		"one with a backslash":       {`a\b`},
		"one with a control":         {"a\x7f"},
		"one with a line break":      {"a\n"},
		"one that is not ASCII":      {"scopé"},
		"one that is not UTF-8":      {"\xff"},
		"one of 129 bytes":           {strings.Repeat("a", 129)},
		"a bad one behind good ones": {"a", "b", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := NewScopes(list...)
			require.ErrorIs(t, err, ErrInvalidArgument)
			assert.True(t, s.IsZero())
		})
	}
	_, err := NewScopes("!", "~", "[]", strings.Repeat("a", 128))
	require.NoError(t, err)
}

func TestNewScopesTakesSixtyFour(t *testing.T) {
	list := make([]string, 65)
	for i := range list {
		list[i] = fmt.Sprintf("scope:%d", i)
	}
	_, err := NewScopes(append(list[:64:64], "scope:0")...)
	require.NoError(t, err, "a repeat does not count")
	_, err = NewScopes(list...)
	require.ErrorIs(t, err, ErrInvalidArgument)
}

func TestParseScopesIsStrict(t *testing.T) {
	for _, text := range []string{"", "a", "a b c"} {
		s, err := ParseScopes(text)
		require.NoError(t, err)
		assert.Equal(t, text, s.String())
	}
	for _, text := range []string{" ", " a", "a ", "a  b", "a\tb", "a\n"} {
		_, err := ParseScopes(text)
		require.ErrorIs(t, err, ErrInvalidArgument)
	}
}

func TestScopesSurviveEncoding(t *testing.T) {
	for _, s := range []Scopes{{}, scopesOf(t, "a"), scopesOf(t, "b", "a")} {
		encoded, err := json.Marshal(s)
		require.NoError(t, err)
		fromJSON := scopesOf(t, "other")
		require.NoError(t, json.Unmarshal(encoded, &fromJSON))
		assert.Equal(t, s, fromJSON)

		var stream bytes.Buffer
		require.NoError(t, gob.NewEncoder(&stream).Encode(s))
		fromGob := scopesOf(t, "other")
		require.NoError(t, gob.NewDecoder(&stream).Decode(&fromGob))
		assert.Equal(t, s, fromGob)
	}
	s := scopesOf(t, "kept")
	require.Error(t, json.Unmarshal([]byte(`["a b"]`), &s))
	require.Error(t, json.Unmarshal([]byte(`"a"`), &s))
	require.Error(t, s.UnmarshalBinary([]byte("a  b")))
	assert.Equal(t, scopesOf(t, "kept"), s, "a failed decoding changes nothing")
}

// FuzzParseScopes holds the parser against RFC 6749, section 3.3, with this library's bounds.
func FuzzParseScopes(f *testing.F) {
	for _, seed := range []string{
		"public_scope full_scope", "", " ", "a  b", "a a", "a b a", "!", "~", "\x7f", "a\"", "\\", "é", strings.Repeat("a", 128), strings.Repeat("a", 129),
		strings.Repeat("a ", 100) + "b",
		strings.Join(strings.Split(alphabet, ""), " ") + " 63 64", strings.Join(strings.Split(alphabet, ""), " ") + " 63 64 65",
	} {
		f.Add(seed)
	}
	scopeToken := regexp.MustCompile(`\A[\x21\x23-\x5B\x5D-\x7E]{1,128}\z`)
	f.Fuzz(func(t *testing.T, text string) {
		want, specified := []string{}, true
		for scope := range strings.SplitSeq(text, " ") {
			specified = specified && scopeToken.MatchString(scope)
			if !slices.Contains(want, scope) {
				want = append(want, scope)
			}
		}
		if text == "" {
			want, specified = []string{}, true
		}
		specified = specified && len(want) <= 64
		s, err := ParseScopes(text)
		switch {
		case specified != (err == nil):
			t.Fatalf("scopes %v, and %v", specified, err)
		case err != nil && !s.IsZero():
			t.Fatal("scopes beside an error")
		case err == nil && !slices.Equal(s.Slice(), want):
			t.Fatalf("%q instead of %q", s.Slice(), want)
		}
	})
}

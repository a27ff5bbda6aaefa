package pat

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
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

func FuzzParseScopes(f *testing.F) {
	f.Add("public_scope full_scope")
	f.Add("")
	f.Add("a  b")
	f.Add("a a")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseScopes(text)
		if err != nil {
			return
		}
		again, err := NewScopes(s.Slice()...)
		if err != nil || again != s {
			t.Fatal("what was parsed is not a set of scopes")
		}
		for _, scope := range s.Slice() {
			if !strings.Contains(" "+text+" ", " "+scope+" ") || !s.Contains(scope) {
				t.Fatal("a scope that was not there")
			}
		}
	})
}

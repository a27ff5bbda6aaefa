package pat

import (
	"encoding/json"
	"fmt"
	"iter"
	"strings"
)

// Scopes is an ordered set of scope tokens (RFC 6749, section 3.3), such as "read" and "repo:write". It can't be
// changed, so it is shared without copying; two Scopes are equal under == if they list the same scopes in the same
// order. The zero Scopes is the empty set.
type Scopes struct {
	text string // the scope tokens, separated by single spaces
}

// Bounds on what one token can carry. They are far above what a person grants, and keep a row small.
const (
	maxScopes      = 64
	maxScopeLength = 128
)

// NewScopes returns the scopes in the order given, each of them once. A scope that is not an RFC 6749 scope-token (one
// or more printable ASCII characters without space, quote and backslash) or is longer than 128 bytes, and more
// than 64 scopes, are an [ArgumentError].
func NewScopes(scopes ...string) (Scopes, error) {
	var s Scopes
	count := 0
	for _, scope := range scopes {
		if !isScopeToken(scope) {
			return Scopes{}, invalid("scopes", "must be RFC 6749 scope-tokens of at most 128 bytes")
		}
		if s.Contains(scope) {
			continue
		}
		if count++; count > maxScopes {
			return Scopes{}, invalid("scopes", "must be at most 64")
		}
		s = s.with(scope)
	}
	return s, nil
}

// ParseScopes reads the form that [Scopes.String] writes, a scope parameter of RFC 6749: scope tokens separated by
// single spaces.
func ParseScopes(text string) (Scopes, error) {
	if text == "" {
		return Scopes{}, nil
	}
	return NewScopes(strings.Split(text, " ")...)
}

func isScopeToken(s string) bool {
	if s == "" || len(s) > maxScopeLength {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func (s Scopes) with(scope string) Scopes {
	if s.text == "" {
		return Scopes{text: scope}
	}
	return Scopes{text: s.text + " " + scope}
}

// All yields the scopes in order.
func (s Scopes) All() iter.Seq[string] {
	return func(yield func(string) bool) {
		for rest := s.text; rest != ""; {
			var scope string
			scope, rest, _ = strings.Cut(rest, " ")
			if !yield(scope) {
				return
			}
		}
	}
}

// Contains reports whether scope is one of the scopes. It knows of no implications; see [Verifier.RequireScope].
func (s Scopes) Contains(scope string) bool {
	for have := range s.All() {
		if have == scope {
			return true
		}
	}
	return false
}

// Slice returns the scopes as a new slice, which is never nil.
func (s Scopes) Slice() []string {
	list := []string{}
	for scope := range s.All() {
		list = append(list, scope)
	}
	return list
}

// IsZero reports whether the set is empty.
func (s Scopes) IsZero() bool { return s.text == "" }

// String returns the scopes separated by spaces, as in a scope parameter of RFC 6749.
func (s Scopes) String() string { return s.text }

// MarshalJSON writes an array of strings.
func (s Scopes) MarshalJSON() ([]byte, error) { return json.Marshal(s.Slice()) }

// UnmarshalJSON reads an array of strings, under the rules of [NewScopes].
func (s *Scopes) UnmarshalJSON(data []byte) error {
	var list []string
	if err := json.Unmarshal(data, &list); err != nil {
		return fmt.Errorf("pat: scopes must be an array of strings: %w", err)
	}
	parsed, err := NewScopes(list...)
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}

// MarshalBinary writes the form of [Scopes.String]. It serves encoding/gob.
func (s Scopes) MarshalBinary() ([]byte, error) { return []byte(s.text), nil }

// UnmarshalBinary reads what MarshalBinary writes.
func (s *Scopes) UnmarshalBinary(data []byte) error {
	parsed, err := ParseScopes(string(data))
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}

package pat

import (
	"slices"
	"time"
)

// ScopePolicy says which scopes a host knows and which of them imply others. The zero ScopePolicy allows any RFC 6749
// scope-token, has no implications and no default: a token that is created without scopes then has none.
type ScopePolicy struct {
	// Implies has every known scope as a key, and as its value the scopes that it includes. Implication goes on:
	// where a implies b and b implies c, a implies c. Nil means that any scope-token is allowed.
	Implies map[string][]string
	// Default is granted where no scope is asked for. It should be the least one.
	Default string
}

// The scopes of [PublicFullScopes].
const (
	// ScopePublic is the least scope, and the default.
	ScopePublic = "public_scope"
	// ScopeFull implies ScopePublic.
	ScopeFull = "full_scope"
)

// PublicFullScopes returns the policy with two scopes that the documented HTTP API speaks of: full_scope implies
// public_scope, and public_scope is the default.
func PublicFullScopes() ScopePolicy {
	return ScopePolicy{
		Implies: map[string][]string{ScopePublic: nil, ScopeFull: {ScopePublic}},
		Default: ScopePublic,
	}
}

// scopePolicy is a checked ScopePolicy with its implications followed to the end.
type scopePolicy struct {
	open    bool                       // any scope-token is known
	implied map[string]map[string]bool // known scope → every scope it implies, itself left out
	byDef   Scopes
}

func (p ScopePolicy) compile() (*scopePolicy, error) {
	compiled := &scopePolicy{open: p.Implies == nil, implied: make(map[string]map[string]bool, len(p.Implies))}
	for scope := range p.Implies {
		if !isScopeToken(scope) {
			return nil, invalid("Config.Scopes.Implies", "must have RFC 6749 scope-tokens of at most 128 bytes as keys")
		}
		reached := make(map[string]bool)
		for open := slices.Clone(p.Implies[scope]); len(open) > 0; {
			next := open[0]
			open = open[1:]
			if _, known := p.Implies[next]; !known {
				return nil, invalid("Config.Scopes.Implies", "must have every implied scope as a key too")
			}
			if next == scope {
				return nil, invalid("Config.Scopes.Implies", "must not lead from a scope back to itself")
			}
			if !reached[next] {
				reached[next] = true
				open = append(open, p.Implies[next]...)
			}
		}
		compiled.implied[scope] = reached
	}
	if p.Default != "" {
		granted, err := compiled.grant([]string{p.Default})
		if err != nil {
			return nil, invalid("Config.Scopes.Default", "must be a scope that the policy knows")
		}
		compiled.byDef = granted
	}
	return compiled, nil
}

// grant checks requested scopes. None at all means the default scope.
func (p *scopePolicy) grant(requested []string) (Scopes, error) {
	if len(requested) == 0 {
		return p.byDef, nil
	}
	for _, scope := range requested {
		if _, known := p.implied[scope]; !known && !p.open {
			return Scopes{}, invalid("scopes", "must be scopes that the policy knows")
		}
	}
	return NewScopes(requested...)
}

// implies reports whether one of the granted scopes is the required one or includes it.
func (p *scopePolicy) implies(granted Scopes, required string) bool {
	for scope := range granted.All() {
		if scope == required || p.implied[scope][required] {
			return true
		}
	}
	return false
}

// effective leaves out the granted scopes that another granted one implies.
func (p *scopePolicy) effective(granted Scopes) Scopes {
	var kept Scopes
	for scope := range granted.All() {
		redundant := false
		for other := range granted.All() {
			redundant = redundant || p.implied[other][scope]
		}
		if !redundant {
			kept = kept.with(scope)
		}
	}
	return kept
}

// Lifetimes of a [LifetimePolicy] that sets none.
const (
	// DefaultLifetime is how long a token lives for which no lifetime is asked.
	DefaultLifetime = 90 * 24 * time.Hour
	// DefaultMaxLifetime is the longest that may be asked for: five years.
	DefaultMaxLifetime = 1825 * 24 * time.Hour
)

// NoExpiry is the lifetime of a token that never expires. It has to be allowed by [LifetimePolicy].AllowNoExpiry. It
// is no small number, so that no miscalculated lifetime can happen to be it.
const NoExpiry time.Duration = -1 << 63

// LifetimePolicy bounds how long tokens live. The zero LifetimePolicy gives [DefaultLifetime], allows
// [DefaultMaxLifetime] and does not allow tokens without expiry.
type LifetimePolicy struct {
	// Default is the lifetime of a token for which none is asked. Zero means [DefaultLifetime], or Max if that is
	// shorter. It is never [NoExpiry]: a token without an end has to be asked for each time.
	Default time.Duration
	// Max is the longest lifetime that may be asked for. Zero means [DefaultMaxLifetime], or Default if that is
	// longer.
	Max time.Duration
	// AllowNoExpiry lets callers ask for [NoExpiry].
	AllowNoExpiry bool
}

func (p LifetimePolicy) resolve() (LifetimePolicy, error) {
	const rule = "must be at least one microsecond, or zero for the library's default"
	if p.Default != 0 && p.Default < time.Microsecond {
		return p, invalid("Config.Lifetime.Default", rule)
	}
	if p.Max != 0 && p.Max < time.Microsecond {
		return p, invalid("Config.Lifetime.Max", rule)
	}
	if p.Max == 0 {
		p.Max = max(DefaultMaxLifetime, p.Default)
	}
	if p.Default == 0 {
		p.Default = min(DefaultLifetime, p.Max)
	}
	if p.Default > p.Max {
		return p, invalid("Config.Lifetime.Default", "must not be above Config.Lifetime.Max")
	}
	return p, nil
}

// expiry returns when a token ends that is created now and asked to live for lifetime. argument names the lifetime in
// an error.
func (p LifetimePolicy) expiry(now time.Time, lifetime time.Duration, argument string) (time.Time, error) {
	switch {
	case lifetime == NoExpiry && p.AllowNoExpiry:
		return time.Time{}, nil
	case lifetime == NoExpiry:
		return time.Time{}, invalid(argument, "must not be NoExpiry, which Config.Lifetime does not allow")
	case lifetime == 0:
		lifetime = p.Default
	case lifetime < time.Microsecond:
		return time.Time{}, invalid(argument, "must be at least one microsecond")
	case lifetime > p.Max:
		return time.Time{}, invalid(argument, "must not be above Config.Lifetime.Max")
	}
	return canonicalTime(now.Add(lifetime)), nil
}

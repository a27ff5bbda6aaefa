package pat

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func compiled(t *testing.T, p ScopePolicy) *scopePolicy {
	t.Helper()
	c, err := p.compile()
	require.NoError(t, err)
	return c
}

func TestScopePolicyGrants(t *testing.T) {
	known := compiled(t, PublicFullScopes())
	open := compiled(t, ScopePolicy{})
	openWithDefault := compiled(t, ScopePolicy{Default: "read"})
	for name, c := range map[string]struct {
		policy    *scopePolicy
		requested []string
		granted   string
	}{
		"the default where none is asked for":   {known, nil, "public_scope"},
		"the default for an empty list":         {known, []string{}, "public_scope"},
		"what is asked for":                     {known, []string{"full_scope"}, "full_scope"},
		"both, in the order asked for":          {known, []string{"full_scope", "public_scope"}, "full_scope public_scope"},
		"nothing where there is no default":     {open, nil, ""},
		"any scope-token where none is known":   {open, []string{"x:y", "z"}, "x:y z"},
		"the default of an open policy":         {openWithDefault, nil, "read"},
		"any scope beside the default, if open": {openWithDefault, []string{"write"}, "write"},
	} {
		t.Run(name, func(t *testing.T) {
			granted, err := c.policy.grant(c.requested)
			require.NoError(t, err)
			assert.Equal(t, c.granted, granted.String())
		})
	}
	for name, requested := range map[string][]string{
		"an unknown scope":            {"admin"},
		"a known and an unknown":      {"public_scope", "admin"},
		"a known one in another case": {"Public_Scope"},
		"an empty one":                {""},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			_, err := known.grant(requested)
			require.ErrorIs(t, err, ErrInvalidArgument)
		})
	}
	_, err := open.grant([]string{"a b"})
	require.ErrorIs(t, err, ErrInvalidArgument)
}

func TestImplicationGoesOn(t *testing.T) {
	p := compiled(t, ScopePolicy{Implies: map[string][]string{
		"admin": {"write", "audit"}, "write": {"read"}, "read": nil, "audit": {"read"},
	}})
	for _, c := range []struct {
		granted  []string
		required string
		want     bool
	}{
		{[]string{"admin"}, "read", true},
		{[]string{"admin"}, "audit", true},
		{[]string{"write"}, "read", true},
		{[]string{"write"}, "write", true},
		{[]string{"read"}, "write", false},
		{[]string{"write"}, "audit", false},
		{[]string{"write", "audit"}, "admin", false},
		{nil, "read", false},
		{[]string{"read"}, "", false},
	} {
		assert.Equal(t, c.want, p.implies(scopesOf(t, c.granted...), c.required), "%v implies %s", c.granted, c.required)
	}
	for granted, effective := range map[string]string{
		"":                       "",
		"read":                   "read",
		"read write":             "write",
		"write read":             "write",
		"audit write":            "audit write",
		"read audit write admin": "admin",
	} {
		s, err := ParseScopes(granted)
		require.NoError(t, err)
		assert.Equal(t, effective, p.effective(s).String(), "of %q", granted)
	}
}

func TestAScopeThatThePolicyNoLongerKnowsImpliesOnlyItself(t *testing.T) {
	p := compiled(t, PublicFullScopes())
	granted := scopesOf(t, "retired")
	assert.True(t, p.implies(granted, "retired"))
	assert.False(t, p.implies(granted, ScopePublic))
	assert.Equal(t, granted, p.effective(granted))
}

func TestScopePolicyThatContradictsItselfIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		policy ScopePolicy
		field  string
	}{
		"an unknown default":         {ScopePolicy{Implies: map[string][]string{"a": nil}, Default: "b"}, "Config.Scopes.Default"},
		"a default that is no scope": {ScopePolicy{Default: "a b"}, "Config.Scopes.Default"},
		"an implied scope unknown":   {ScopePolicy{Implies: map[string][]string{"a": {"b"}}}, "Config.Scopes.Implies"},
		"a key that is no scope":     {ScopePolicy{Implies: map[string][]string{"a b": nil}}, "Config.Scopes.Implies"},
		"a scope that implies itself": {
			ScopePolicy{Implies: map[string][]string{"a": {"a"}}}, "Config.Scopes.Implies"},
		"a circle": {
			ScopePolicy{Implies: map[string][]string{"a": {"b"}, "b": {"c"}, "c": {"a"}}}, "Config.Scopes.Implies"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.policy.compile()
			argument := requireArgumentError(t, err)
			assert.Equal(t, c.field, argument.Argument)
		})
	}
}

func TestAPolicyIsReadOnce(t *testing.T) {
	policy := PublicFullScopes()
	p := compiled(t, policy)
	policy.Implies["admin"] = nil
	policy.Implies[ScopeFull][0] = "other"
	_, err := p.grant([]string{"admin"})
	require.ErrorIs(t, err, ErrInvalidArgument)
	assert.True(t, p.implies(scopesOf(t, ScopeFull), ScopePublic))
}

func requireArgumentError(t *testing.T, err error) *ArgumentError {
	t.Helper()
	var argument *ArgumentError
	require.ErrorAs(t, err, &argument)
	require.ErrorIs(t, err, ErrInvalidArgument)
	require.Equal(t, "pat: "+argument.Argument+" "+argument.Rule, err.Error())
	return argument
}

func TestLifetimePolicyFillsInItsDefaults(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct{ in, want LifetimePolicy }{
		"both":                          {LifetimePolicy{}, LifetimePolicy{Default: 90 * day, Max: 1825 * day}},
		"a maximum below the default":   {LifetimePolicy{Max: day}, LifetimePolicy{Default: day, Max: day}},
		"a default above the maximum":   {LifetimePolicy{Default: 4000 * day}, LifetimePolicy{Default: 4000 * day, Max: 4000 * day}},
		"neither, where both are given": {LifetimePolicy{Default: day, Max: 2 * day}, LifetimePolicy{Default: day, Max: 2 * day}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.in.resolve()
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestLifetimePolicyThatContradictsItselfIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		policy LifetimePolicy
		field  string
	}{
		"default above maximum": {LifetimePolicy{Default: 2 * time.Hour, Max: time.Hour}, "Config.Lifetime.Default"},
		"negative default":      {LifetimePolicy{Default: -1}, "Config.Lifetime.Default"},
		"no expiry by default":  {LifetimePolicy{Default: NoExpiry, AllowNoExpiry: true}, "Config.Lifetime.Default"},
		"negative maximum":      {LifetimePolicy{Max: -time.Hour}, "Config.Lifetime.Max"},
		"too short a maximum":   {LifetimePolicy{Max: time.Nanosecond}, "Config.Lifetime.Max"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.policy.resolve()
			assert.Equal(t, c.field, requireArgumentError(t, err).Argument)
		})
	}
}

func TestExpiry(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	bounded := LifetimePolicy{Default: time.Hour, Max: 2 * time.Hour}
	endless := LifetimePolicy{Default: time.Hour, Max: 2 * time.Hour, AllowNoExpiry: true}
	for name, c := range map[string]struct {
		policy   LifetimePolicy
		lifetime time.Duration
		want     time.Time
	}{
		"the default for zero":                   {bounded, 0, now.Add(time.Hour)},
		"the default for zero, also if endless":  {endless, 0, now.Add(time.Hour)},
		"what was asked for":                     {bounded, 90 * time.Minute, now.Add(90 * time.Minute)},
		"exactly the maximum":                    {bounded, 2 * time.Hour, now.Add(2 * time.Hour)},
		"no end, asked for by name and allowed":  {endless, NoExpiry, time.Time{}},
		"a lifetime that is cut to microseconds": {bounded, time.Microsecond + 1, now.Add(time.Microsecond)},
		"one step of the clock":                  {bounded, time.Microsecond, now.Add(time.Microsecond)},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.policy.expiry(now, c.lifetime, "Lifetime")
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
	for name, lifetime := range map[string]time.Duration{
		"above the maximum":               2*time.Hour + 1,
		"negative":                        -time.Hour,
		"minus one":                       -1,
		"shorter than the clock's step":   999,
		"no end where it is not allowed":  NoExpiry,
		"next to no end, a miscomputed 1": NoExpiry + 1,
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			_, err := bounded.expiry(now, lifetime, "CreateParams.Lifetime")
			assert.Equal(t, "CreateParams.Lifetime", requireArgumentError(t, err).Argument)
		})
	}
	_, err := bounded.expiry(now, NoExpiry, "CreateParams.Lifetime")
	assert.Contains(t, requireArgumentError(t, err).Rule, "NoExpiry", "who asks for it is told by its name")
}

func TestALifetimePolicyMayBeOneStepOfTheClock(t *testing.T) {
	shortest := LifetimePolicy{Default: time.Microsecond, Max: time.Microsecond}
	got, err := shortest.resolve()
	require.NoError(t, err)
	assert.Equal(t, shortest, got)
}

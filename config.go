package pat

import (
	"context"
	"reflect"
	"time"
)

// Config is shared by [NewIssuer] and [NewVerifier]: give both the same. The zero Config works: SHA-256 digests,
// tokens that live 90 days unless asked otherwise, any scope, no group limit, no hooks. It is read once, so that
// changing it afterwards has no effect.
type Config struct {
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Lifetime bounds how long tokens live.
	Lifetime LifetimePolicy
	// Scopes says which scopes there are. See [PublicFullScopes] for the ones of the documented HTTP API.
	Scopes ScopePolicy
	// GroupLimit is how many tokens a group may have for another one to be created, not counting revoked ones, nor
	// rotated ones whose grace period has ended. Expired ones count. Zero means no limit.
	GroupLimit int
	// PepperKeys switches from SHA-256 to HMAC-SHA-256. The first key makes new digests, the others are still
	// accepted, and so are digests without a key. A digest under another key than the first, or without one, is
	// replaced when its token is used.
	//
	// A token whose key is missing fails to verify with an error that is not ErrInvalidToken. So bring a new key in by
	// two steps: put it behind the others, and when every process has it, in front. The very first key has no such
	// step: processes without keys can't verify what those with one have made, until they are restarted. An old key
	// may go once every token of its time has ended, at the latest when the longest lifetime has passed.
	PepperKeys []PepperKey
	// Imported accepts tokens of an older system.
	Imported Imported
	// OwnerActive says whether a token's user is still there and still in the group. It is asked on every
	// verification of a token that is otherwise valid, never before its value was proven, and is called
	// concurrently. An error means that it can't tell, and fails the verification as a fault. Nil means that every
	// owner is active.
	OwnerActive func(ctx context.Context, userID, groupID string) (bool, error)
	// OnEvent is told what happened, after it happened and before the call returns. It is called concurrently and
	// has to be quick: a verification waits for it. A panic of it goes to the caller, with what happened done. Nil
	// means that nobody listens.
	OnEvent func(ctx context.Context, event Event)
	// LastUsedInterval is how exact LastUsedAt is: for each token, at most one write in this time. Zero means a
	// minute. A negative interval turns the recording off.
	LastUsedInterval time.Duration
}

// settings is a checked Config with its defaults filled in.
type settings struct {
	now         func() time.Time
	lifetime    LifetimePolicy
	scopes      *scopePolicy
	groupLimit  int
	hashers     *hashers
	lookupKey   func(string) (string, bool)
	ownerActive func(context.Context, string, string) (bool, error)
	onEvent     func(context.Context, Event)
	interval    time.Duration
}

const defaultLastUsedInterval = time.Minute

func (c Config) resolve(store Store) (*settings, error) {
	if isNil(store) {
		return nil, invalid("store", "must not be nil")
	}
	s := &settings{
		now:         c.Now,
		groupLimit:  c.GroupLimit,
		lookupKey:   c.Imported.LookupKey,
		ownerActive: c.OwnerActive,
		onEvent:     c.OnEvent,
		interval:    c.LastUsedInterval,
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.interval == 0 {
		s.interval = defaultLastUsedInterval
	}
	if c.GroupLimit < 0 {
		return nil, invalid("Config.GroupLimit", "must not be negative")
	}
	var err error
	if s.lifetime, err = c.Lifetime.resolve(); err != nil {
		return nil, err
	}
	if s.scopes, err = c.Scopes.compile(); err != nil {
		return nil, err
	}
	if s.hashers, err = newHashers(c.PepperKeys, c.Imported); err != nil {
		return nil, err
	}
	return s, nil
}

// isNil also finds a nil pointer within an interface, which a failed constructor whose error was passed over leaves.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	r := reflect.ValueOf(v)
	return r.Kind() == reflect.Pointer && r.IsNil()
}

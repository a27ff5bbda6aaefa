package pat_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

// reasons are all the errors that say why a token is invalid.
var reasons = []error{
	pat.ErrMalformed, pat.ErrUnknown, pat.ErrWrongSecret, pat.ErrExpired, pat.ErrRevoked, pat.ErrOwnerInactive,
}

// requireReason checks that err is an invalid token for one reason and for no other.
func requireReason(t *testing.T, err, reason error) {
	t.Helper()
	require.ErrorIs(t, err, pat.ErrInvalidToken)
	for _, r := range reasons {
		require.Equal(t, r == reason, errors.Is(err, r), "%v is %v", err, r) //nolint:errorlint // identity is what is meant
	}
}

func TestVerifyNamesTheReason(t *testing.T) {
	inactive := false
	cfg := pat.Config{OwnerActive: func(context.Context, string, string) (bool, error) { return !inactive, nil }}
	h := newHouse(t, cfg)
	_, valid := h.create(t)
	_, short := h.create(t, func(p *pat.CreateParams) { p.Lifetime = time.Hour })
	revokedToken, revoked := h.create(t)
	_, err := h.Revoke(t.Context(), revokedToken.ID)
	require.NoError(t, err)
	_, unknown := newHouse(t, pat.Config{}).create(t)
	h.clock.Advance(time.Hour)

	for name, c := range map[string]struct {
		value  string
		reason error
	}{
		"nothing":                          {"", pat.ErrMalformed},
		"a garbled value":                  {valid[:54] + "!", pat.ErrMalformed},
		"a very long value":                {strings.Repeat(valid, 1000), pat.ErrMalformed},
		"a value of another house":         {unknown, pat.ErrUnknown},
		"a known prefix, another secret":   {otherSecret(valid), pat.ErrWrongSecret},
		"an expired token":                 {short, pat.ErrExpired},
		"a revoked token":                  {revoked, pat.ErrRevoked},
		"an expired token's other secret":  {withChecksum(short[:17] + unknown[17:49]), pat.ErrWrongSecret},
		"a revoked token's other secret":   {withChecksum(revoked[:17] + unknown[17:49]), pat.ErrWrongSecret},
		"a value with a scheme before it":  {"Bearer " + valid, pat.ErrMalformed},
		"a value in quotes":                {`"` + valid + `"`, pat.ErrMalformed},
		"the prefix alone":                 {valid[4:16], pat.ErrMalformed},
		"the secret alone":                 {valid[17:], pat.ErrMalformed},
		"a value with an encoded hyphen":   {strings.Replace(valid, "-", "%2D", 1), pat.ErrMalformed},
		"a value with a fullwidth hyphen":  {strings.Replace(valid, "-", "\uFF0D", 1), pat.ErrMalformed},
		"a value with an underscore there": {strings.Replace(valid, "-", "_", 1), pat.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			tok, err := h.Verify(t.Context(), c.value)
			requireReason(t, err, c.reason)
			assert.Equal(t, pat.Token{}, tok)
			if c.value != "" {
				assert.NotContains(t, err.Error(), c.value)
			}
		})
	}
	_, err = h.Verify(t.Context(), valid)
	require.NoError(t, err)
	inactive = true
	_, err = h.Verify(t.Context(), valid)
	requireReason(t, err, pat.ErrOwnerInactive)
}

// otherSecret returns a well-formed value with the same prefix and another secret.
func otherSecret(value string) string {
	last := "0"
	if value[48:49] == last {
		last = "1"
	}
	return withChecksum(value[:48] + last)
}

// withChecksum completes the first 49 characters of a value, as the documentation describes it.
func withChecksum(text string) string {
	crc := ^uint32(0)
	for i := range len(text) {
		crc ^= uint32(text[i])
		for range 8 {
			if crc&1 == 1 {
				crc = crc>>1 ^ 0xEDB88320
			} else {
				crc >>= 1
			}
		}
	}
	crc = ^crc
	digits := make([]byte, 6)
	for i := range digits {
		digits[5-i] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[crc%62]
		crc /= 62
	}
	return text + string(digits)
}

func TestATokenIsExpiredFromTheInstantOfItsExpiryOn(t *testing.T) {
	h := newHouse(t, pat.Config{})
	tok, value := h.create(t, func(p *pat.CreateParams) { p.Lifetime = time.Hour })
	h.clock.Advance(tok.ExpiresAt.Sub(h.clock.Now()) - 1)
	_, err := h.Verify(t.Context(), value)
	require.NoError(t, err, "one nanosecond before")
	h.clock.Advance(1)
	_, err = h.Verify(t.Context(), value)
	requireReason(t, err, pat.ErrExpired)
	assert.True(t, tok.Expired(tok.ExpiresAt))
	assert.False(t, tok.Expired(tok.ExpiresAt.Add(-1)))
}

func TestMalformedValuesAreRefusedBeforeTheStoreIsAsked(t *testing.T) {
	h := newHouse(t, pat.Config{})
	_, value := h.create(t)
	for i := range len(value) {
		flipped := value[:i] + string(value[i]^1) + value[i+1:]
		_, err := h.Verify(t.Context(), flipped)
		requireReason(t, err, pat.ErrMalformed)
	}
	lookups, _ := h.counts()
	assert.Zero(t, lookups)
}

func TestAStoredDigestIsNoToken(t *testing.T) {
	h := newHouse(t, importing(pat.Config{}))
	tok, value := h.create(t)
	rec, err := h.store.FindByPrefix(t.Context(), tok.Prefix)
	require.NoError(t, err)
	encoded := rec.Digest.Encoded()
	_, sum, _ := strings.Cut(encoded, "$$")
	for _, presented := range []string{
		encoded, sum, fmt.Sprintf("%x", sum), value[:17] + fmt.Sprintf("%x", sum), withChecksum(value[:17] + fmt.Sprintf("%x", sum)[:32]),
	} {
		_, err := h.Verify(t.Context(), presented)
		require.ErrorIs(t, err, pat.ErrInvalidToken)
	}
}

func TestADigestMovedToAnotherPrefixMatchesNothingThere(t *testing.T) {
	h := newHouse(t, pat.Config{})
	victim, victimValue := h.create(t)
	mine, myValue := h.create(t)
	myRecord, err := h.store.FindByPrefix(t.Context(), mine.Prefix)
	require.NoError(t, err)
	victimRecord, err := h.store.FindByPrefix(t.Context(), victim.Prefix)
	require.NoError(t, err)
	moved := pat.Record{Token: victimRecord.Token, Digest: myRecord.Digest}
	h.store.findByPrefix = func(context.Context, string) (pat.Record, error) { return moved, nil }
	for _, value := range []string{victimValue, withChecksum(victimValue[:17] + myValue[17:49])} {
		_, err := h.Verify(t.Context(), value)
		requireReason(t, err, pat.ErrWrongSecret)
	}
}

func TestACorruptRecordIsAnErrorAndNoAnswer(t *testing.T) {
	h := newHouse(t, pat.Config{})
	tok, value := h.create(t)
	good, err := h.store.FindByPrefix(t.Context(), tok.Prefix)
	require.NoError(t, err)
	other, _ := h.create(t)
	otherRecord, err := h.store.FindByPrefix(t.Context(), other.Prefix)
	require.NoError(t, err)
	digest := func(encoded string) pat.Digest {
		d, err := pat.ParseDigest(encoded)
		require.NoError(t, err)
		return d
	}
	for name, rec := range map[string]pat.Record{
		"nothing":                         {},
		"the record of another prefix":    otherRecord,
		"no id":                           {Token: func(t pat.Token) pat.Token { t.ID = ""; return t }(good.Token), Digest: good.Digest},
		"no digest":                       {Token: good.Token},
		"a digest that is too short":      {Token: good.Token, Digest: digest("sha256$$" + strings.Repeat("x", 31))},
		"a digest of a key that is gone":  {Token: good.Token, Digest: digest("hmac-sha256$k1$" + strings.Repeat("x", 32))},
		"a digest of an unknown kind":     {Token: good.Token, Digest: digest("sha3-256$$" + strings.Repeat("x", 32))},
		"a digest of one that is not on":  {Token: good.Token, Digest: digest("bcrypt$$x")},
		"a digest with a misplaced key":   {Token: good.Token, Digest: digest("sha256$k1$" + strings.Repeat("x", 32))},
		"a digest cut at its first bytes": {Token: good.Token, Digest: digest("sha256$$x")},
	} {
		t.Run(name, func(t *testing.T) {
			h.store.findByPrefix = func(context.Context, string) (pat.Record, error) { return rec, nil }
			got, err := h.Verify(t.Context(), value)
			require.Error(t, err)
			require.NotErrorIs(t, err, pat.ErrInvalidToken)
			assert.Equal(t, pat.Token{}, got)
		})
	}
}

func TestWhatAFaultyStoreReturnsIsNotReported(t *testing.T) {
	events := &recorder{}
	h := newHouse(t, pat.Config{OnEvent: events.OnEvent})
	_, value := h.create(t)
	other, _ := h.create(t)
	rec, err := h.store.FindByPrefix(t.Context(), other.Prefix)
	require.NoError(t, err)
	for name, failure := range map[string]error{"the record of another prefix": nil, "a record beside an error": errDown} {
		events.take()
		h.store.findByPrefix = func(context.Context, string) (pat.Record, error) { return rec, failure }
		_, err := h.Verify(t.Context(), value)
		require.Error(t, err, name)
		assert.Equal(t, []pat.Event{{Type: pat.EventDenied, Time: h.clock.stamp(), Reason: err}}, events.take(), name)
	}
}

func TestUnknownPrefixAndWrongSecretCostTheSameLookups(t *testing.T) {
	h := newHouse(t, pat.Config{})
	_, known := h.create(t)
	_, unknown := newHouse(t, pat.Config{}).create(t)
	for _, value := range []string{unknown, withChecksum(known[:17] + unknown[17:49])} {
		before, _ := h.counts()
		_, err := h.Verify(t.Context(), value)
		require.ErrorIs(t, err, pat.ErrInvalidToken)
		after, writes := h.counts()
		assert.Equal(t, 1, after-before)
		assert.Equal(t, 1, writes, "only the Create wrote")
	}
}

func TestOwnerActiveIsAskedOnEveryVerificationOfAProvenValue(t *testing.T) {
	type owner struct{ user, group string }
	var asked []owner
	var failure error
	h := newHouse(t, pat.Config{OwnerActive: func(_ context.Context, user, group string) (bool, error) {
		asked = append(asked, owner{user, group})
		return failure == nil, failure
	}})
	_, value := h.create(t)
	for range 3 {
		_, err := h.Verify(t.Context(), value)
		require.NoError(t, err)
	}
	assert.Equal(t, []owner{{"alice", "1"}, {"alice", "1"}, {"alice", "1"}}, asked)
	_, _ = h.Verify(t.Context(), otherSecret(value))
	assert.Len(t, asked, 3, "a wrong secret tells nothing about the owner")

	for _, failure = range []error{errDown, fmt.Errorf("x: %w", pat.ErrOwnerInactive), context.DeadlineExceeded} {
		tok, err := h.Verify(t.Context(), value)
		require.Error(t, err)
		require.NotErrorIs(t, err, pat.ErrInvalidToken, "not knowing is not the same as no")
		assert.Equal(t, pat.Token{}, tok)
	}
}

func TestRecognizesTellsTokensFromOtherCredentials(t *testing.T) {
	native, imports := newHouse(t, pat.Config{}), newHouse(t, importing(pat.Config{}))
	_, value := native.create(t)
	for name, c := range map[string]struct {
		value             string
		byNative, imports bool
	}{
		"a value":                  {value, true, true},
		"a value of another store": {otherSecret(value), true, true},
		"an older system's value":  {oldValue, false, true},
		"a session":                {"alice-session", false, false},
		"a garbled value":          {value[:54] + "!", false, false},
		"nothing":                  {"", false, false},
	} {
		assert.Equal(t, c.byNative, native.Recognizes(c.value), name)
		assert.Equal(t, c.imports, imports.Recognizes(c.value), name)
	}
	lookups, _ := imports.counts()
	assert.Zero(t, lookups)
	for _, v := range []*pat.Verifier{nil, {}} {
		assert.False(t, v.Recognizes(value))
	}
}

func TestRequireScopeListsWhatIsMissing(t *testing.T) {
	h := newHouse(t, pat.Config{Scopes: pat.PublicFullScopes()})
	public, _ := h.create(t)
	full, _ := h.create(t, func(p *pat.CreateParams) { p.Scopes = []string{"public_scope", "full_scope"} })
	require.NoError(t, h.RequireScope(public, "public_scope"))
	require.NoError(t, h.RequireScope(full, "full_scope", "public_scope"))
	require.NoError(t, h.RequireScope(pat.Token{}), "nothing is required")
	err := h.RequireScope(public, "public_scope", "full_scope", "other")
	var insufficient *pat.InsufficientScopeError
	require.ErrorAs(t, err, &insufficient)
	assert.Equal(t, []string{"full_scope", "other"}, insufficient.Missing)
	assert.Equal(t, "pat: insufficient scope: missing full_scope other", err.Error())
	require.Error(t, h.RequireScope(pat.Token{}, "public_scope"))
	assert.Equal(t, "full_scope", h.EffectiveScope(full).String())
	assert.Equal(t, "public_scope", h.EffectiveScope(public).String())
}

func TestPepperKeysRotateInUse(t *testing.T) {
	key := func(id string) pat.PepperKey {
		return pat.PepperKey{ID: id, Key: pat.NewSecret(strings.Repeat(id, 16))}
	}
	h := newHouse(t, pat.Config{})
	tok, value := h.create(t)
	algorithm := func() string {
		rec, err := h.store.FindByPrefix(t.Context(), tok.Prefix)
		require.NoError(t, err)
		return rec.Digest.Algorithm() + "/" + rec.Digest.KeyID()
	}
	use := func(keys ...pat.PepperKey) error {
		h.open(t, pat.Config{PepperKeys: keys})
		_, err := h.Verify(t.Context(), value)
		require.NoError(t, h.Close(t.Context()))
		return err
	}
	require.NoError(t, use())
	assert.Equal(t, "sha256/", algorithm())
	require.NoError(t, use(key("k1")))
	assert.Equal(t, "hmac-sha256/k1", algorithm(), "a digest without a key is replaced at its use")
	require.NoError(t, use(key("k2"), key("k1")))
	assert.Equal(t, "hmac-sha256/k2", algorithm())
	require.NoError(t, use(key("k2")), "the old key may go now")
	err := use(key("k3"))
	require.Error(t, err)
	require.NotErrorIs(t, err, pat.ErrInvalidToken, "a missing key is a fault of the host, not of the token")
}

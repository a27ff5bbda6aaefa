package pat_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/patkit/pat"
)

// A value of the older system: old.<key>.<secret>.
const (
	oldValue = "old.k123.9f86d081884c7d659a2feaa0c55ad015"
	oldKey   = "k123"

	// Argon2id of oldValue, made with the argon2 command of the reference implementation.
	oldArgon2idDigest = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$dn8H4ddx+KS2OmYPUj/n6CPrLQZujlilnRiO3+WLRq4"
)

func oldLookupKey(value string) (string, bool) {
	parts := strings.Split(value, ".")
	if len(parts) != 3 || parts[0] != "old" {
		return "", false
	}
	return parts[1], true
}

// importing adds to a Config what it takes to accept values of the older system.
func importing(cfg pat.Config) pat.Config {
	cfg.Imported.LookupKey = oldLookupKey
	if cfg.Imported.Hashers == nil {
		cfg.Imported.Hashers = []pat.Hasher{pat.Bcrypt(), pat.Argon2id(), hexSHA256{}}
	}
	return cfg
}

// hexSHA256 is a hasher that a host writes: the older system stored hexadecimal SHA-256.
type hexSHA256 struct{}

func (hexSHA256) Algorithm() string { return "sha256-hex" }

func (hexSHA256) Check(encoded string) error {
	if raw, err := hex.DecodeString(encoded); err != nil || len(raw) != sha256.Size {
		return errors.New("no hexadecimal SHA-256")
	}
	return nil
}

func (hexSHA256) Match(encoded, value string) (bool, error) {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:]) == encoded, nil
}

func bcryptOf(t testing.TB, value string, cost int) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(value), cost)
	require.NoError(t, err)
	return string(hash)
}

func importParams(t testing.TB) pat.ImportParams {
	t.Helper()
	return pat.ImportParams{
		LookupKey: oldKey, Algorithm: "bcrypt", Digest: bcryptOf(t, oldValue, bcrypt.MinCost),
		UserID: "alice", GroupID: "1", Name: "from before",
		CreatedAt: time.Date(2020, 2, 1, 0, 0, 0, 0, time.UTC),
		ExpiresAt: time.Date(2030, 2, 1, 0, 0, 0, 0, time.UTC),
	}
}

func TestAnImportedTokenKeepsWorking(t *testing.T) {
	sum := sha256.Sum256([]byte(oldValue))
	for name, c := range map[string]struct{ algorithm, digest string }{
		"bcrypt":          {"bcrypt", bcryptOf(t, oldValue, bcrypt.MinCost)},
		"bcrypt of PHP":   {"bcrypt", strings.Replace(bcryptOf(t, oldValue, bcrypt.MinCost), "$2a$", "$2y$", 1)},
		"Argon2id":        {"argon2id", oldArgon2idDigest},
		"a host's hasher": {"sha256-hex", hex.EncodeToString(sum[:])},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, importing(pat.Config{Scopes: pat.PublicFullScopes()}))
			params := importParams(t)
			params.ID = strings.ToUpper(uuid.NewString())
			params.Algorithm, params.Digest = c.algorithm, c.digest
			params.Scopes = []string{"full_scope"}
			params.LastUsedAt = time.Date(2025, 2, 1, 0, 0, 0, 1999, time.FixedZone("", 3600))
			tok, err := h.Import(t.Context(), params)
			require.NoError(t, err)
			assert.Equal(t, strings.ToLower(params.ID), tok.ID)
			assert.Equal(t, oldKey, tok.Prefix)
			assert.Equal(t, params.CreatedAt, tok.CreatedAt)
			assert.Equal(t, params.ExpiresAt, tok.ExpiresAt)
			assert.Equal(t, time.Date(2025, 1, 31, 23, 0, 0, 1000, time.UTC), tok.LastUsedAt)

			verified, err := h.Verify(t.Context(), oldValue)
			require.NoError(t, err)
			assert.Equal(t, tok, verified)
			_, err = h.Verify(t.Context(), oldValue+"x")
			requireReason(t, err, pat.ErrWrongSecret)
			_, err = h.Verify(t.Context(), "old.k124.9f86d081884c7d659a2feaa0c55ad015")
			requireReason(t, err, pat.ErrUnknown)
			_, err = h.Verify(t.Context(), "other.k123.9f86d081884c7d659a2feaa0c55ad015")
			requireReason(t, err, pat.ErrMalformed)

			require.NoError(t, h.Close(t.Context()))
			rec, err := h.store.FindByPrefix(t.Context(), oldKey)
			require.NoError(t, err)
			assert.Equal(t, "sha256", rec.Digest.Algorithm(), "the digest is replaced after the first success")
			_, err = h.Verify(t.Context(), oldValue)
			require.NoError(t, err)
			_, err = h.Verify(t.Context(), oldValue+"x")
			requireReason(t, err, pat.ErrWrongSecret)
		})
	}
}

func TestADigestIsReplacedByTheFirstSuccessOnly(t *testing.T) {
	h := newHouse(t, importing(pat.Config{}))
	_, err := h.Import(t.Context(), importParams(t))
	require.NoError(t, err)
	_, err = h.Verify(t.Context(), oldValue+"x")
	requireReason(t, err, pat.ErrWrongSecret)
	require.NoError(t, h.Close(t.Context()))
	rec, err := h.store.FindByPrefix(t.Context(), oldKey)
	require.NoError(t, err)
	assert.Equal(t, "bcrypt", rec.Digest.Algorithm())
}

func TestReplacingADigestNeverFailsAVerificationNorRevivesAToken(t *testing.T) {
	events := &recorder{}
	h := newHouse(t, importing(pat.Config{OnEvent: events.OnEvent, LastUsedInterval: -1}))
	tok, err := h.Import(t.Context(), importParams(t))
	require.NoError(t, err)
	h.store.replaceDigest = func(context.Context, string, pat.Digest, pat.Digest) (bool, error) { return false, errDown }
	_, err = h.Verify(t.Context(), oldValue)
	require.NoError(t, err)
	require.ErrorIs(t, h.Close(t.Context()), errDown, "Close says that something was left undone")

	h.store.replaceDigest = nil
	h.open(t, importing(pat.Config{}))
	_, err = h.Verify(t.Context(), oldValue)
	require.NoError(t, err)
	_, err = h.Revoke(t.Context(), tok.ID)
	require.NoError(t, err)
	require.NoError(t, h.Close(t.Context()), "the replacement finds the token revoked, and that is all")
	_, err = h.Verify(t.Context(), oldValue)
	requireReason(t, err, pat.ErrRevoked)
}

func TestAnImportedTokenObeysItsTimesAndItsPolicy(t *testing.T) {
	h := newHouse(t, importing(pat.Config{GroupLimit: 1}))
	h.create(t)
	params := importParams(t)
	params.ExpiresAt = h.clock.Now()
	_, err := h.Import(t.Context(), params)
	require.NoError(t, err, "the limit is not applied, and an expired token may be imported")
	_, err = h.Verify(t.Context(), oldValue)
	requireReason(t, err, pat.ErrExpired)

	params = importParams(t)
	params.LookupKey = "k9"
	params.Digest = bcryptOf(t, "old.k9.x", bcrypt.MinCost)
	params.RevokedAt = h.clock.Now()
	_, err = h.Import(t.Context(), params)
	require.NoError(t, err)
	_, err = h.Verify(t.Context(), "old.k9.x")
	requireReason(t, err, pat.ErrRevoked)
}

func TestImportingTwice(t *testing.T) {
	h := newHouse(t, importing(pat.Config{}))
	params := importParams(t)
	params.ID = uuid.NewString()
	first, err := h.Import(t.Context(), params)
	require.NoError(t, err)
	_, err = h.Revoke(t.Context(), first.ID)
	require.NoError(t, err)
	again, err := h.Import(t.Context(), params)
	require.NoError(t, err, "the very same token again, as a script that is run twice does")
	assert.True(t, again.Revoked(), "it is returned as it now is")
	params.Digest = bcryptOf(t, oldValue, bcrypt.MinCost)
	_, err = h.Import(t.Context(), params)
	require.ErrorIs(t, err, pat.ErrExists)
	params.ID = ""
	_, err = h.Import(t.Context(), params)
	require.ErrorIs(t, err, pat.ErrExists, "the look-up key is taken")
	got, err := h.Get(t.Context(), first.ID)
	require.NoError(t, err)
	assert.Equal(t, again, got)
}

func TestImportRefusesBadArguments(t *testing.T) {
	zero := time.Time{}
	for name, c := range map[string]struct {
		change   func(*pat.ImportParams)
		argument string
	}{
		"an id that is no UUID":         {func(p *pat.ImportParams) { p.ID = "17" }, "ImportParams.ID"},
		"no user":                       {func(p *pat.ImportParams) { p.UserID = "" }, "ImportParams.UserID"},
		"no group":                      {func(p *pat.ImportParams) { p.GroupID = "" }, "ImportParams.GroupID"},
		"no name":                       {func(p *pat.ImportParams) { p.Name = " " }, "ImportParams.Name"},
		"no key":                        {func(p *pat.ImportParams) { p.LookupKey = "" }, "ImportParams.LookupKey"},
		"a key with a space":            {func(p *pat.ImportParams) { p.LookupKey = "a b" }, "ImportParams.LookupKey"},
		"a key that is not ASCII":       {func(p *pat.ImportParams) { p.LookupKey = "é" }, "ImportParams.LookupKey"},
		"a long key":                    {func(p *pat.ImportParams) { p.LookupKey = strings.Repeat("k", 129) }, "ImportParams.LookupKey"},
		"an algorithm that is not on":   {func(p *pat.ImportParams) { p.Algorithm = "md5" }, "ImportParams.Algorithm"},
		"an algorithm of ours":          {func(p *pat.ImportParams) { p.Algorithm = "sha256" }, "ImportParams.Algorithm"},
		"a digest of another algorithm": {func(p *pat.ImportParams) { p.Algorithm = "argon2id" }, "ImportParams.Digest"},
		"no digest":                     {func(p *pat.ImportParams) { p.Digest = "" }, "ImportParams.Digest"},
		"a digest cut short":            {func(p *pat.ImportParams) { p.Digest = p.Digest[:59] }, "ImportParams.Digest"},
		"an unbearable cost":            {func(p *pat.ImportParams) { p.Digest = "$2a$15$" + p.Digest[7:] }, "ImportParams.Digest"},
		"an unknown scope":              {func(p *pat.ImportParams) { p.Scopes = []string{"admin"} }, "ImportParams.Scopes"},
		"no creation time":              {func(p *pat.ImportParams) { p.CreatedAt = zero }, "ImportParams.CreatedAt"},
		"a creation before 1970":        {func(p *pat.ImportParams) { p.CreatedAt = time.Unix(-1, 0) }, "ImportParams.CreatedAt"},
		"an expiry beyond the years":    {func(p *pat.ImportParams) { p.ExpiresAt = time.Unix(1<<40, 0) }, "ImportParams.ExpiresAt"},
		"silently no expiry":            {func(p *pat.ImportParams) { p.ExpiresAt = zero }, "ImportParams.ExpiresAt"},
		"no expiry where not allowed":   {func(p *pat.ImportParams) { p.ExpiresAt = zero; p.NoExpiry = true }, "ImportParams.NoExpiry"},
		"both an expiry and none":       {func(p *pat.ImportParams) { p.NoExpiry = true }, "ImportParams.NoExpiry"},
		"a use before 1970":             {func(p *pat.ImportParams) { p.LastUsedAt = time.Unix(-1, 0) }, "ImportParams.LastUsedAt"},
		"a revocation before 1970":      {func(p *pat.ImportParams) { p.RevokedAt = time.Unix(-1, 0) }, "ImportParams.RevokedAt"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, importing(pat.Config{Scopes: pat.PublicFullScopes()}))
			params := importParams(t)
			c.change(&params)
			tok, err := h.Import(t.Context(), params)
			requireArgument(t, err, c.argument)
			assert.Equal(t, pat.Token{}, tok)
			_, writes := h.counts()
			assert.Zero(t, writes)
		})
	}
}

func TestImportOfATokenWithoutExpiry(t *testing.T) {
	h := newHouse(t, importing(pat.Config{Lifetime: pat.LifetimePolicy{AllowNoExpiry: true}}))
	params := importParams(t)
	params.ExpiresAt, params.NoExpiry = time.Time{}, true
	tok, err := h.Import(t.Context(), params)
	require.NoError(t, err)
	assert.True(t, tok.ExpiresAt.IsZero())

	params.ExpiresAt = h.clock.Now()
	_, err = h.Import(t.Context(), params)
	requireArgument(t, err, "ImportParams.NoExpiry")
}

// A Hasher may find everything good. What a Digest can hold is the library's to say.
func TestADigestThatNoneCanBeIsRefusedWhateverTheHasherSays(t *testing.T) {
	h := newHouse(t, importing(pat.Config{Imported: pat.Imported{Hashers: []pat.Hasher{&hasherNamed{"permissive"}}}}))
	params := importParams(t)
	params.Algorithm = "permissive"
	for _, digest := range []string{"", strings.Repeat("d", 501)} {
		params.Digest = digest
		_, err := h.Import(t.Context(), params)
		requireArgument(t, err, "ImportParams.Digest")
	}
	params.Digest = strings.Repeat("d", 500)
	_, err := h.Import(t.Context(), params)
	require.NoError(t, err)
}

func TestAHostsHasherThatRefusesADigestIsHeard(t *testing.T) {
	h := newHouse(t, importing(pat.Config{}))
	params := importParams(t)
	params.Algorithm = "sha256-hex"
	_, err := h.Import(t.Context(), params)
	require.ErrorContains(t, err, "no hexadecimal SHA-256")
}

func TestWithoutImportsOtherFormsAreMalformed(t *testing.T) {
	h := newHouse(t, pat.Config{})
	_, err := h.Verify(t.Context(), oldValue)
	requireReason(t, err, pat.ErrMalformed)
}

func TestTheLookUpKeyIsCheckedLikeTheValue(t *testing.T) {
	keys := map[string]string{"empty": "", "long": strings.Repeat("k", 129), "spaced": "a b", "controlled": "a\x00", "deleted": "a\x7f"}
	good := map[string]string{"longest": strings.Repeat("k", 128), "outermost": "!~"}
	asked := 0
	cfg := importing(pat.Config{})
	cfg.Imported.LookupKey = func(value string) (string, bool) { asked++; return keys[value] + good[value], true }
	h := newHouse(t, cfg)
	for value := range keys {
		_, err := h.Verify(t.Context(), value)
		requireReason(t, err, pat.ErrMalformed)
	}
	lookups, _ := h.counts()
	assert.Zero(t, lookups)
	for value := range good {
		_, err := h.Verify(t.Context(), value)
		requireReason(t, err, pat.ErrUnknown)
	}
	require.Equal(t, 7, asked)
	_, err := h.Verify(t.Context(), strings.Repeat("v", 1024))
	requireReason(t, err, pat.ErrMalformed)
	require.Equal(t, 8, asked)
	for _, value := range []string{"", strings.Repeat("v", 1025)} {
		_, err := h.Verify(t.Context(), value)
		requireReason(t, err, pat.ErrMalformed)
	}
	assert.Equal(t, 8, asked, "values that no system issues do not reach the host")
}

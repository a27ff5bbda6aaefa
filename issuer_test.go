package pat_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

func TestCreateReturnsWhatTheStoreHolds(t *testing.T) {
	h := newHouse(t, pat.Config{Scopes: pat.PublicFullScopes()})
	issued, err := h.Create(t.Context(), pat.CreateParams{
		UserID: "alice", GroupID: "7", Name: "  Déploiement 部署 \n", Scopes: []string{"full_scope"}, Lifetime: 60 * 24 * time.Hour,
	})
	require.NoError(t, err)
	tok := issued.Token
	assert.Equal(t, "alice", tok.UserID)
	assert.Equal(t, "7", tok.GroupID)
	assert.Equal(t, "Déploiement 部署", tok.Name, "white space around the name is cut off")
	assert.Equal(t, "full_scope", tok.Scopes.String())
	assert.Equal(t, h.clock.stamp(), tok.CreatedAt)
	assert.Equal(t, h.clock.stamp(), tok.UpdatedAt)
	assert.Equal(t, h.clock.stamp().Add(60*24*time.Hour), tok.ExpiresAt)
	assert.True(t, tok.LastUsedAt.IsZero())
	assert.False(t, tok.Revoked())
	id, err := uuid.Parse(tok.ID)
	require.NoError(t, err)
	assert.Equal(t, id.String(), tok.ID)
	assert.Equal(t, issued.Value.Reveal()[4:16], tok.Prefix)

	stored, err := h.Get(t.Context(), tok.ID)
	require.NoError(t, err)
	assert.Equal(t, tok, stored)
	verified, err := h.Verify(t.Context(), issued.Value.Reveal())
	require.NoError(t, err)
	assert.Equal(t, tok, verified)
}

func TestCreateGivesTheDefaults(t *testing.T) {
	h := newHouse(t, pat.Config{Scopes: pat.PublicFullScopes()})
	tok, _ := h.create(t)
	assert.Equal(t, "public_scope", tok.Scopes.String())
	assert.Equal(t, h.clock.stamp().Add(90*24*time.Hour), tok.ExpiresAt, "never silently no expiry")
}

func TestCreateWithoutExpiryHasToBeAskedForAndAllowed(t *testing.T) {
	endless := func(p *pat.CreateParams) { p.Lifetime = pat.NoExpiry }
	h := newHouse(t, pat.Config{Lifetime: pat.LifetimePolicy{AllowNoExpiry: true}})
	tok, value := h.create(t, endless)
	assert.True(t, tok.ExpiresAt.IsZero())
	h.clock.Advance(200 * 365 * 24 * time.Hour)
	_, err := h.Verify(t.Context(), value)
	require.NoError(t, err)

	_, err = newHouse(t, pat.Config{}).Create(t.Context(), pat.CreateParams{UserID: "a", GroupID: "1", Name: "n", Lifetime: pat.NoExpiry})
	requireArgument(t, err, "CreateParams.Lifetime")
}

func TestCreateRefusesBadArguments(t *testing.T) {
	for name, c := range map[string]struct {
		change   func(*pat.CreateParams)
		argument string
	}{
		"no user":                         {func(p *pat.CreateParams) { p.UserID = "" }, "CreateParams.UserID"},
		"a long user":                     {func(p *pat.CreateParams) { p.UserID = strings.Repeat("u", 256) }, "CreateParams.UserID"},
		"a user with a line break":        {func(p *pat.CreateParams) { p.UserID = "u\nv" }, "CreateParams.UserID"},
		"a user that is not UTF-8":        {func(p *pat.CreateParams) { p.UserID = "\xff" }, "CreateParams.UserID"},
		"no group":                        {func(p *pat.CreateParams) { p.GroupID = "" }, "CreateParams.GroupID"},
		"a long group":                    {func(p *pat.CreateParams) { p.GroupID = strings.Repeat("g", 256) }, "CreateParams.GroupID"},
		"a group with a NUL":              {func(p *pat.CreateParams) { p.GroupID = "1\x00" }, "CreateParams.GroupID"},
		"no name":                         {func(p *pat.CreateParams) { p.Name = "" }, "CreateParams.Name"},
		"a blank name":                    {func(p *pat.CreateParams) { p.Name = " \t\n\u00A0" }, "CreateParams.Name"},
		"a long name":                     {func(p *pat.CreateParams) { p.Name = strings.Repeat("é", 256) }, "CreateParams.Name"},
		"a name that is not UTF-8":        {func(p *pat.CreateParams) { p.Name = "a\xffb" }, "CreateParams.Name"},
		"a name that nobody sees":         {func(p *pat.CreateParams) { p.Name = "\u200b\u200d \ufeff" }, "CreateParams.Name"},
		"a name with a control character": {func(p *pat.CreateParams) { p.Name = "a\x1b[31mb" }, "CreateParams.Name"},
		"a name with a C1 control":        {func(p *pat.CreateParams) { p.Name = "a\u0085b" }, "CreateParams.Name"},
		"a name of two lines":             {func(p *pat.CreateParams) { p.Name = "a\nb" }, "CreateParams.Name"},
		"a name with a line separator":    {func(p *pat.CreateParams) { p.Name = "a\u2028b" }, "CreateParams.Name"},
		"a name with an override":         {func(p *pat.CreateParams) { p.Name = "a\u202Eb" }, "CreateParams.Name"},
		"a name with an embedding":        {func(p *pat.CreateParams) { p.Name = "a\u202Ab" }, "CreateParams.Name"},
		"a name with an isolate":          {func(p *pat.CreateParams) { p.Name = "a\u2066b" }, "CreateParams.Name"},
		"a name with a pop isolate":       {func(p *pat.CreateParams) { p.Name = "a\u2069b" }, "CreateParams.Name"},
		"an unknown scope":                {func(p *pat.CreateParams) { p.Scopes = []string{"admin"} }, "CreateParams.Scopes"},
		"a lifetime above the maximum":    {func(p *pat.CreateParams) { p.Lifetime = 1826 * 24 * time.Hour }, "CreateParams.Lifetime"},
		"a negative lifetime":             {func(p *pat.CreateParams) { p.Lifetime = -time.Second }, "CreateParams.Lifetime"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, pat.Config{Scopes: pat.PublicFullScopes()})
			params := pat.CreateParams{UserID: "alice", GroupID: "1", Name: "deploy"}
			c.change(&params)
			issued, err := h.Create(t.Context(), params)
			requireArgument(t, err, c.argument)
			assert.Empty(t, issued.Value.Reveal())
			_, writes := h.counts()
			assert.Zero(t, writes, "nothing is stored")
			for _, input := range []string{params.UserID, params.GroupID, params.Name} {
				if len(input) > 7 {
					assert.NotContains(t, err.Error(), input, "an error never holds the input")
				}
			}
		})
	}
}

func TestCreateTakesWhatIsJustAllowed(t *testing.T) {
	h := newHouse(t, pat.Config{})
	for _, name := range []string{"x", strings.Repeat("é", 255), "שלום \u200F!", "👩‍💻 laptop", "O'Brien <b>&amp;"} {
		tok, _ := h.create(t, func(p *pat.CreateParams) { p.Name = name })
		assert.Equal(t, name, tok.Name)
	}
	h.create(t, func(p *pat.CreateParams) { p.UserID, p.GroupID = strings.Repeat("u", 255), strings.Repeat("g", 255) })
}

func TestCreateObeysTheGroupLimit(t *testing.T) {
	h := newHouse(t, pat.Config{GroupLimit: 2})
	first, _ := h.create(t)
	h.create(t)
	_, err := h.Create(t.Context(), pat.CreateParams{UserID: "bob", GroupID: "1", Name: "n"})
	require.ErrorIs(t, err, pat.ErrLimitReached)
	assert.NotErrorIs(t, err, pat.ErrInvalidToken)
	h.create(t, func(p *pat.CreateParams) { p.GroupID = "2" })
	_, err = h.Revoke(t.Context(), first.ID)
	require.NoError(t, err)
	h.create(t)
}

func TestCreateDrawsAgainWhenAPrefixIsTaken(t *testing.T) {
	h := newHouse(t, pat.Config{})
	var tried []pat.Record
	h.store.insert = func(ctx context.Context, rec pat.Record, limit int) error {
		tried = append(tried, rec)
		if len(tried) < 3 {
			return fmt.Errorf("wrapped: %w", pat.ErrExists)
		}
		return h.store.Store.Insert(ctx, rec, limit)
	}
	tok, value := h.create(t)
	require.Len(t, tried, 3)
	assert.NotEqual(t, tried[0].Token.ID, tok.ID)
	assert.NotEqual(t, tried[0].Token.Prefix, tok.Prefix)
	_, err := h.Verify(t.Context(), value)
	require.NoError(t, err)

	h.store.insert = func(context.Context, pat.Record, int) error { return pat.ErrExists }
	_, err = h.Create(t.Context(), pat.CreateParams{UserID: "a", GroupID: "1", Name: "n"})
	require.ErrorIs(t, err, pat.ErrExists, "it does not try for ever")
}

func TestGetTellsAbsentFromMalformed(t *testing.T) {
	h := newHouse(t, pat.Config{})
	tok, _ := h.create(t)
	got, err := h.Get(t.Context(), strings.ToUpper(tok.ID))
	require.NoError(t, err, "RFC 9562 takes upper case on input")
	assert.Equal(t, tok, got)
	_, err = h.Get(t.Context(), uuid.NewString())
	require.ErrorIs(t, err, pat.ErrNotFound)
	compact := strings.ReplaceAll(tok.ID, "-", "")
	for _, id := range []string{"", "x", compact, "{" + tok.ID + "}", "urn:uuid:" + tok.ID, tok.ID + " ", tok.ID[:35] + "g", tok.Prefix} {
		for _, call := range map[string]func() error{
			"Get":    func() error { _, err := h.Get(t.Context(), id); return err },
			"Revoke": func() error { _, err := h.Revoke(t.Context(), id); return err },
			"Rotate": func() error { _, err := h.Rotate(t.Context(), id, pat.RotateParams{}); return err },
		} {
			requireArgument(t, call(), "id")
		}
	}
}

func TestRevokeIsIdempotentAndKeepsTheFirstTime(t *testing.T) {
	h := newHouse(t, pat.Config{})
	tok, value := h.create(t)
	h.clock.Advance(time.Minute)
	first := h.clock.stamp()
	revoked, err := h.Revoke(t.Context(), tok.ID)
	require.NoError(t, err)
	assert.Equal(t, first, revoked.RevokedAt)
	_, err = h.Verify(t.Context(), value)
	require.ErrorIs(t, err, pat.ErrRevoked)

	h.clock.Advance(time.Minute)
	again, err := h.Revoke(t.Context(), strings.ToUpper(tok.ID))
	require.NoError(t, err)
	assert.Equal(t, revoked, again)
	_, err = h.Revoke(t.Context(), uuid.NewString())
	require.ErrorIs(t, err, pat.ErrNotFound)
}

func TestARevocationThatDidNotHappenDoesNotPassForOne(t *testing.T) {
	h := newHouse(t, pat.Config{})
	tok, _ := h.create(t)
	h.store.Store = revokesNothing{h.store.Store, tok}
	_, err := h.Revoke(t.Context(), tok.ID)
	require.ErrorIs(t, err, pat.ErrCorrupt)
}

// revokesNothing is a store that says it has revoked, and has not.
type revokesNothing struct {
	pat.Store
	tok pat.Token
}

func (s revokesNothing) Revoke(context.Context, string, time.Time) (pat.Token, bool, error) {
	return s.tok, true, nil
}

func TestRevokeAllReportsWhatItDidBesideAnError(t *testing.T) {
	events := &recorder{}
	h := newHouse(t, pat.Config{OnEvent: events.OnEvent})
	tok, _ := h.create(t)
	events.take()
	h.store.Store = oneUnreadableRevoked{h.store.Store}
	n, err := h.RevokeAll(t.Context(), pat.Owner{UserID: "alice"})
	require.ErrorIs(t, err, pat.ErrCorrupt)
	assert.Equal(t, 1, n)
	reported := events.take()
	require.Len(t, reported, 1)
	assert.Equal(t, tok.ID, reported[0].TokenID)
}

// oneUnreadableRevoked is a store that can't read one of the tokens that it has revoked.
type oneUnreadableRevoked struct{ pat.Store }

func (s oneUnreadableRevoked) RevokeAll(ctx context.Context, owner pat.Owner, at time.Time) ([]pat.Token, error) {
	revoked, err := s.Store.RevokeAll(ctx, owner, at)
	return revoked, errors.Join(err, pat.ErrCorrupt)
}

func TestRevokeAllEndsWhatTheOwnerHas(t *testing.T) {
	h := newHouse(t, pat.Config{})
	_, alice1 := h.create(t)
	_, alice2 := h.create(t, func(p *pat.CreateParams) { p.GroupID = "2" })
	_, bob1 := h.create(t, func(p *pat.CreateParams) { p.UserID = "bob" })
	_, bob2 := h.create(t, func(p *pat.CreateParams) { p.UserID, p.GroupID = "bob", "2" })
	alive := func(values ...string) {
		t.Helper()
		for _, value := range []string{alice1, alice2, bob1, bob2} {
			_, err := h.Verify(t.Context(), value)
			assert.Equal(t, slices.Contains(values, value), err == nil)
		}
	}
	_, err := h.RevokeAll(t.Context(), pat.Owner{})
	requireArgument(t, err, "Owner")
	_, err = h.RevokeAll(t.Context(), pat.Owner{UserID: "alice", GroupID: strings.Repeat("1", 256)})
	requireArgument(t, err, "Owner.GroupID")
	_, err = h.RevokeAll(t.Context(), pat.Owner{UserID: "alice\n"})
	requireArgument(t, err, "Owner.UserID")
	alive(alice1, alice2, bob1, bob2)

	n, err := h.RevokeAll(t.Context(), pat.Owner{UserID: "bob", GroupID: "2"})
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	alive(alice1, alice2, bob1)

	n, err = h.RevokeAll(t.Context(), pat.Owner{GroupID: "1"})
	require.NoError(t, err)
	assert.Equal(t, 2, n)
	alive(alice2)

	n, err = h.RevokeAll(t.Context(), pat.Owner{UserID: "alice"})
	require.NoError(t, err)
	assert.Equal(t, 1, n, "those revoked before are not counted again")
	alive()
}

func TestPurgeDeletesWhatEndedLongAgo(t *testing.T) {
	h := newHouse(t, pat.Config{})
	living, _ := h.create(t)
	revoked, _ := h.create(t)
	_, err := h.Revoke(t.Context(), revoked.ID)
	require.NoError(t, err)
	expired, _ := h.create(t, func(p *pat.CreateParams) { p.Lifetime = time.Second })
	for range 1100 {
		h.create(t, func(p *pat.CreateParams) { p.Lifetime = time.Second })
	}
	h.clock.Advance(time.Hour)
	late, _ := h.create(t)
	_, err = h.Revoke(t.Context(), late.ID)
	require.NoError(t, err)

	_, err = h.Purge(t.Context(), h.clock.Now().Add(time.Second))
	requireArgument(t, err, "before")
	n, err := h.Purge(t.Context(), h.clock.Now().Add(-time.Minute))
	require.NoError(t, err)
	assert.Equal(t, 1102, n, "more than one step's worth")
	for id, want := range map[string]error{living.ID: nil, late.ID: nil, revoked.ID: pat.ErrNotFound, expired.ID: pat.ErrNotFound} {
		_, err := h.Get(t.Context(), id)
		require.ErrorIs(t, err, want)
	}
}

func TestTheLimitHoldsAmongManyCreators(t *testing.T) {
	h := newHouse(t, pat.Config{GroupLimit: 10})
	for range 9 {
		h.create(t)
	}
	var won, refused int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			_, err := h.Create(t.Context(), pat.CreateParams{UserID: "a", GroupID: "1", Name: "n"})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case assert.ErrorIs(t, err, pat.ErrLimitReached):
				refused++
			}
		})
	}
	wg.Wait()
	assert.Equal(t, 1, won)
	assert.Equal(t, 49, refused)
}

// Ids are made by a package whose source of randomness anybody in the process can replace.
func TestWithoutAnIDNoTokenIsMade(t *testing.T) {
	h := newHouse(t, importing(pat.Config{}))
	uuid.SetRand(iotest.ErrReader(errors.New("no randomness")))
	defer uuid.SetRand(nil)
	issued, err := h.Create(t.Context(), pat.CreateParams{UserID: "alice", GroupID: "1", Name: "laptop"})
	require.ErrorContains(t, err, "no randomness")
	assert.Zero(t, issued)
	tok, err := h.Import(t.Context(), importParams(t))
	require.ErrorContains(t, err, "no randomness")
	assert.Zero(t, tok)
	assert.Empty(t, h.faults.Calls())
}

package pat_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
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
			_, writes := h.store.counts()
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

func TestTheStoreNeverSeesAValue(t *testing.T) {
	h := newHouse(t, pat.Config{})
	var seen pat.Record
	h.store.insert = func(ctx context.Context, rec pat.Record, limit int) error {
		seen = rec
		return h.store.Store.Insert(ctx, rec, limit)
	}
	_, value := h.create(t)
	secret := value[17:]
	for _, text := range []string{fmt.Sprintf("%+v", seen), seen.Digest.Encoded(), seen.Token.Name, seen.Token.Prefix} {
		assert.NotContains(t, text, secret)
	}
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

func TestListPagesThroughEverythingOnce(t *testing.T) {
	h := newHouse(t, pat.Config{})
	var want []string
	for n := range 25 {
		if n%3 == 0 {
			h.clock.Advance(time.Second) // others are created at the same instant
		}
		tok, _ := h.create(t)
		want = append([]string{tok.ID}, want...)
	}
	h.create(t, func(p *pat.CreateParams) { p.GroupID = "2" })
	for _, size := range []int{1, 2, 7, 24, 25, 26, 0} {
		var got []string
		params := pat.ListParams{GroupID: "1", Limit: size}
		for {
			page, err := h.List(t.Context(), params)
			require.NoError(t, err)
			for _, tok := range page.Tokens {
				got = append(got, tok.ID)
			}
			if page.NextCursor == "" {
				break
			}
			require.Len(t, page.Tokens, size)
			params.Cursor = page.NextCursor
		}
		assert.Equal(t, want, got, "with pages of %d", size)
	}
}

func TestListShowsWhatItIsAskedFor(t *testing.T) {
	h := newHouse(t, pat.Config{})
	alice1, _ := h.create(t)
	alice2, _ := h.create(t, func(p *pat.CreateParams) { p.GroupID = "2" })
	bob1, _ := h.create(t, func(p *pat.CreateParams) { p.UserID = "bob" })
	short, _ := h.create(t, func(p *pat.CreateParams) { p.Lifetime = time.Minute })
	revoked, _ := h.create(t)
	_, err := h.Revoke(t.Context(), revoked.ID)
	require.NoError(t, err)
	h.clock.Advance(time.Hour) // short is expired now
	for name, c := range map[string]struct {
		params pat.ListParams
		want   []pat.Token
	}{
		"a group":                  {pat.ListParams{GroupID: "1"}, []pat.Token{alice1, bob1, short}},
		"a user":                   {pat.ListParams{UserID: "alice"}, []pat.Token{alice1, alice2, short}},
		"a user in a group":        {pat.ListParams{UserID: "bob", GroupID: "1"}, []pat.Token{bob1}},
		"nobody":                   {pat.ListParams{UserID: "carol"}, nil},
		"a user in another group":  {pat.ListParams{UserID: "bob", GroupID: "2"}, nil},
		"revoked ones, on request": {pat.ListParams{GroupID: "1", IncludeRevoked: true}, []pat.Token{alice1, bob1, short, revoked}},
	} {
		t.Run(name, func(t *testing.T) {
			page, err := h.List(t.Context(), c.params)
			require.NoError(t, err)
			assert.Empty(t, page.NextCursor)
			var got, want []string
			for _, tok := range page.Tokens {
				got = append(got, tok.ID)
			}
			for _, tok := range c.want {
				want = append(want, tok.ID)
			}
			assert.ElementsMatch(t, want, got)
		})
	}
}

func TestListRefusesBadArguments(t *testing.T) {
	h := newHouse(t, pat.Config{})
	wrongLength := base64.RawURLEncoding.EncodeToString(make([]byte, 23))
	for name, c := range map[string]struct {
		params   pat.ListParams
		argument string
	}{
		"everything":                     {pat.ListParams{}, "ListParams"},
		"a user that nobody can be":      {pat.ListParams{UserID: "a\x00"}, "ListParams.UserID"},
		"a group that none can be":       {pat.ListParams{UserID: "a", GroupID: "\xff"}, "ListParams.GroupID"},
		"a negative limit":               {pat.ListParams{UserID: "a", Limit: -1}, "ListParams.Limit"},
		"a limit above the maximum":      {pat.ListParams{UserID: "a", Limit: 1001}, "ListParams.Limit"},
		"a cursor that is no base64":     {pat.ListParams{UserID: "a", Cursor: "!"}, "ListParams.Cursor"},
		"a cursor of the wrong length":   {pat.ListParams{UserID: "a", Cursor: wrongLength}, "ListParams.Cursor"},
		"a cursor with something behind": {pat.ListParams{UserID: "a", Cursor: strings.Repeat("A", 32) + "="}, "ListParams.Cursor"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.List(t.Context(), c.params)
			requireArgument(t, err, c.argument)
		})
	}
	_, err := h.List(t.Context(), pat.ListParams{UserID: "a", Limit: pat.MaxPageSize})
	require.NoError(t, err)
}

func FuzzListCursor(f *testing.F) {
	h := newHouse(f, pat.Config{})
	for range 3 {
		h.create(f)
	}
	page, err := h.List(f.Context(), pat.ListParams{GroupID: "1", Limit: 1})
	require.NoError(f, err)
	f.Add(page.NextCursor)
	f.Add("")
	f.Add(strings.Repeat("_", 32))
	f.Fuzz(func(t *testing.T, cursor string) {
		page, err := h.List(t.Context(), pat.ListParams{GroupID: "1", Cursor: cursor})
		if err != nil {
			requireArgument(t, err, "ListParams.Cursor")
			return
		}
		for _, tok := range page.Tokens {
			if tok.GroupID != "1" {
				t.Fatal("a cursor led into another group")
			}
		}
	})
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

func TestACancelledContextGivesItsErrorAndChangesNothing(t *testing.T) {
	h := newHouse(t, importing(pat.Config{}))
	tok, value := h.create(t)
	before, err := h.Get(t.Context(), tok.ID)
	require.NoError(t, err)
	lookupsBefore, writesBefore := h.store.counts()
	ctx := cancelled()
	for name, call := range map[string]func() error{
		"Create": func() error {
			_, err := h.Create(ctx, pat.CreateParams{UserID: "a", GroupID: "1", Name: "n"})
			return err
		},
		"Get":       func() error { _, err := h.Get(ctx, tok.ID); return err },
		"List":      func() error { _, err := h.List(ctx, pat.ListParams{GroupID: "1"}); return err },
		"Rotate":    func() error { _, err := h.Rotate(ctx, tok.ID, pat.RotateParams{}); return err },
		"Revoke":    func() error { _, err := h.Revoke(ctx, tok.ID); return err },
		"RevokeAll": func() error { _, err := h.RevokeAll(ctx, pat.Owner{UserID: "alice"}); return err },
		"Purge":     func() error { _, err := h.Purge(ctx, h.clock.Now()); return err },
		"Import":    func() error { _, err := h.Import(ctx, importParams(t)); return err },
		"Verify":    func() error { _, err := h.Verify(ctx, value); return err },
	} {
		err := call()
		require.ErrorIs(t, err, context.Canceled, name)
		require.NotErrorIs(t, err, pat.ErrInvalidToken, name)
	}
	lookups, writes := h.store.counts()
	assert.Equal(t, lookupsBefore, lookups)
	assert.Equal(t, writesBefore, writes)
	after, err := h.Get(t.Context(), tok.ID)
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

func TestAFailingStoreIsAFaultEverywhere(t *testing.T) {
	h := newHouse(t, importing(pat.Config{}))
	tok, value := h.create(t)
	for _, failure := range []error{errDown, pat.ErrCorrupt, fmt.Errorf("broken: %w", pat.ErrRevoked)} {
		h.store.failure = failure
		for name, call := range map[string]func() error{
			"Create": func() error {
				_, err := h.Create(t.Context(), pat.CreateParams{UserID: "a", GroupID: "1", Name: "n"})
				return err
			},
			"Get":       func() error { _, err := h.Get(t.Context(), tok.ID); return err },
			"List":      func() error { _, err := h.List(t.Context(), pat.ListParams{GroupID: "1"}); return err },
			"Rotate":    func() error { _, err := h.Rotate(t.Context(), tok.ID, pat.RotateParams{}); return err },
			"Revoke":    func() error { _, err := h.Revoke(t.Context(), tok.ID); return err },
			"RevokeAll": func() error { _, err := h.RevokeAll(t.Context(), pat.Owner{UserID: "alice"}); return err },
			"Purge":     func() error { _, err := h.Purge(t.Context(), h.clock.Now()); return err },
			"Import":    func() error { _, err := h.Import(t.Context(), importParams(t)); return err },
		} {
			err := call()
			require.ErrorIs(t, err, failure, name)
			require.NotErrorIs(t, err, pat.ErrNotFound, name)
		}
		got, err := h.Verify(t.Context(), value)
		require.Error(t, err)
		require.NotErrorIs(t, err, pat.ErrInvalidToken, "a fault never looks like a refusal, whatever the store says")
		assert.Equal(t, pat.Token{}, got)
	}
	h.store.failure = nil
	_, err := h.Verify(t.Context(), value)
	require.NoError(t, err, "after the fault all is as before")
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

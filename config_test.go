package pat_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/memory"
	"github.com/patkit/pat/storetest"
)

func TestConstructorsNameTheFieldThatIsWrong(t *testing.T) {
	short := pat.PepperKey{ID: "k1", Key: pat.NewSecret(make([]byte, 31))}
	good := pat.PepperKey{ID: "k1", Key: pat.NewSecret(make([]byte, 32))}
	lookup := func(string) (string, bool) { return "", false }
	hashers := func(h ...pat.Hasher) pat.Imported { return pat.Imported{LookupKey: lookup, Hashers: h} }
	var noHasher *hasherNamed
	for name, c := range map[string]struct {
		store    pat.Store
		cfg      pat.Config
		argument string
	}{
		"no store":                         {nil, pat.Config{}, "store"},
		"a nil pointer as the store":       {(*memory.Store)(nil), pat.Config{}, "store"},
		"a negative limit":                 {memory.New(), pat.Config{GroupLimit: -1}, "Config.GroupLimit"},
		"a default above the maximum":      {memory.New(), pat.Config{Lifetime: pat.LifetimePolicy{Default: 2, Max: 1}}, "Config.Lifetime.Default"},
		"a lifetime that contradicts":      {memory.New(), pat.Config{Lifetime: pat.LifetimePolicy{Default: time.Hour, Max: time.Minute}}, "Config.Lifetime.Default"},
		"an unknown default scope":         {memory.New(), pat.Config{Scopes: pat.ScopePolicy{Implies: map[string][]string{}, Default: "x"}}, "Config.Scopes.Default"},
		"a short pepper":                   {memory.New(), pat.Config{PepperKeys: []pat.PepperKey{good, short}}, "Config.PepperKeys[1].Key"},
		"a pepper without a key":           {memory.New(), pat.Config{PepperKeys: []pat.PepperKey{{ID: "k1"}}}, "Config.PepperKeys[0].Key"},
		"a pepper's id used twice":         {memory.New(), pat.Config{PepperKeys: []pat.PepperKey{good, good}}, "Config.PepperKeys[1].ID"},
		"a pepper without id":              {memory.New(), pat.Config{PepperKeys: []pat.PepperKey{{Key: good.Key}}}, "Config.PepperKeys[0].ID"},
		"a pepper's id with a separator":   {memory.New(), pat.Config{PepperKeys: []pat.PepperKey{{ID: "a$b", Key: good.Key}}}, "Config.PepperKeys[0].ID"},
		"hashers without a look-up":        {memory.New(), pat.Config{Imported: pat.Imported{Hashers: []pat.Hasher{pat.Bcrypt()}}}, "Config.Imported"},
		"a look-up without hashers":        {memory.New(), pat.Config{Imported: pat.Imported{LookupKey: lookup}}, "Config.Imported"},
		"a nil hasher":                     {memory.New(), pat.Config{Imported: hashers(nil)}, "Config.Imported.Hashers[0]"},
		"a nil pointer as a hasher":        {memory.New(), pat.Config{Imported: hashers(noHasher)}, "Config.Imported.Hashers[0]"},
		"a hasher twice":                   {memory.New(), pat.Config{Imported: hashers(pat.Bcrypt(), pat.Bcrypt())}, "Config.Imported.Hashers[1].Algorithm"},
		"a hasher with a name of ours":     {memory.New(), pat.Config{Imported: hashers(&hasherNamed{"sha256"})}, "Config.Imported.Hashers[0].Algorithm"},
		"a hasher with our peppered name":  {memory.New(), pat.Config{Imported: hashers(&hasherNamed{"hmac-sha256"})}, "Config.Imported.Hashers[0].Algorithm"},
		"a hasher with a bad name":         {memory.New(), pat.Config{Imported: hashers(&hasherNamed{"MD5"})}, "Config.Imported.Hashers[0].Algorithm"},
		"a hasher without a name":          {memory.New(), pat.Config{Imported: hashers(&hasherNamed{""})}, "Config.Imported.Hashers[0].Algorithm"},
		"a negative number of comparisons": {memory.New(), pat.Config{Imported: pat.Imported{MaxConcurrent: -1}}, "Config.Imported.MaxConcurrent"},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, err := pat.NewIssuer(c.store, c.cfg)
			requireArgument(t, err, c.argument)
			assert.Nil(t, issuer)
			verifier, err := pat.NewVerifier(c.store, c.cfg)
			requireArgument(t, err, c.argument)
			assert.Nil(t, verifier)
		})
	}
}

type hasherNamed struct{ name string }

func (h *hasherNamed) Algorithm() string                { return h.name }
func (*hasherNamed) Check(string) error                 { return nil }
func (*hasherNamed) Match(string, string) (bool, error) { return false, nil }

func TestTheZeroConfigWorks(t *testing.T) {
	store := memory.New()
	issuer, err := pat.NewIssuer(store, pat.Config{})
	require.NoError(t, err)
	verifier, err := pat.NewVerifier(store, pat.Config{})
	require.NoError(t, err)
	defer func() { require.NoError(t, verifier.Close(context.Background())) }()
	before := time.Now().Truncate(time.Microsecond)
	issued, err := issuer.Create(t.Context(), pat.CreateParams{UserID: "u", GroupID: "g", Name: "n", Scopes: []string{"anything"}})
	require.NoError(t, err)
	assert.False(t, issued.Token.CreatedAt.Before(before))
	assert.False(t, issued.Token.CreatedAt.After(time.Now()))
	_, err = verifier.Verify(t.Context(), issued.Value.Reveal())
	require.NoError(t, err)
}

func TestWhatNoConstructorMadeFailsWithoutAPanic(t *testing.T) {
	ctx := t.Context()
	for _, i := range []*pat.Issuer{nil, {}} {
		for name, call := range map[string]func() error{
			"Create":    func() error { _, err := i.Create(ctx, pat.CreateParams{}); return err },
			"Get":       func() error { _, err := i.Get(ctx, ""); return err },
			"List":      func() error { _, err := i.List(ctx, pat.ListParams{}); return err },
			"Rotate":    func() error { _, err := i.Rotate(ctx, "", pat.RotateParams{}); return err },
			"Revoke":    func() error { _, err := i.Revoke(ctx, ""); return err },
			"RevokeAll": func() error { _, err := i.RevokeAll(ctx, pat.Owner{}); return err },
			"Purge":     func() error { _, err := i.Purge(ctx, time.Time{}); return err },
			"Import":    func() error { _, err := i.Import(ctx, pat.ImportParams{}); return err },
		} {
			require.ErrorContains(t, call(), "not made by NewIssuer", name)
		}
	}
	scopes, err := pat.NewScopes("read")
	require.NoError(t, err)
	for _, v := range []*pat.Verifier{nil, {}} {
		_, err := v.Verify(ctx, "x")
		require.ErrorContains(t, err, "not made by")
		require.NotErrorIs(t, err, pat.ErrInvalidToken)
		require.Error(t, v.RequireScope(pat.Token{}), "it fails closed")
		require.Equal(t, scopes, v.EffectiveScope(pat.Token{Scopes: scopes}))
		require.NoError(t, v.Close(ctx))
	}
}

func TestEventsTellWhatHappened(t *testing.T) {
	type key struct{}
	var events []pat.Event
	var fromHost []any
	inactive := false
	h := newHouse(t, importing(pat.Config{
		OnEvent: func(ctx context.Context, e pat.Event) {
			events = append(events, e)
			fromHost = append(fromHost, ctx.Value(key{}))
		},
		OwnerActive: func(context.Context, string, string) (bool, error) { return !inactive, nil },
	}))
	ctx := context.WithValue(t.Context(), key{}, "caller")
	expect := func(step string, want ...pat.Event) {
		t.Helper()
		for i := range want {
			want[i].Time = h.clock.stamp()
		}
		require.Equal(t, want, events, step)
		for _, v := range fromHost {
			require.Equal(t, "caller", v, "the hook gets the caller's context")
		}
		events, fromHost = nil, nil
	}
	issued, err := h.Create(ctx, pat.CreateParams{UserID: "alice", GroupID: "1", Name: "n"})
	require.NoError(t, err)
	of := func(tok pat.Token, e pat.Event) pat.Event {
		e.TokenID, e.UserID, e.GroupID = tok.ID, tok.UserID, tok.GroupID
		return e
	}
	old, oldValue := issued.Token, issued.Value.Reveal()
	expect("create", of(old, pat.Event{Type: pat.EventCreated}))

	_, _ = h.Verify(ctx, oldValue)
	expect("verify", of(old, pat.Event{Type: pat.EventVerified}))
	_, _ = h.Verify(ctx, otherSecret(oldValue))
	expect("wrong secret", of(old, pat.Event{Type: pat.EventDenied, Reason: pat.ErrWrongSecret}))
	_, _ = h.Verify(ctx, "garbage")
	expect("garbage", pat.Event{Type: pat.EventDenied, Reason: pat.ErrMalformed})
	_, unknown := newHouse(t, pat.Config{}).create(t)
	_, _ = h.Verify(ctx, unknown)
	expect("unknown", pat.Event{Type: pat.EventDenied, Reason: pat.ErrUnknown})
	inactive = true
	_, _ = h.Verify(ctx, oldValue)
	expect("inactive", of(old, pat.Event{Type: pat.EventDenied, Reason: pat.ErrOwnerInactive}))
	inactive = false

	rotated, err := h.Rotate(ctx, old.ID, pat.RotateParams{Grace: time.Hour})
	require.NoError(t, err)
	expect("rotate", of(old, pat.Event{Type: pat.EventRotated, SuccessorID: rotated.Token.ID}))
	_, err = h.Revoke(ctx, old.ID)
	require.NoError(t, err)
	expect("revoke", of(old, pat.Event{Type: pat.EventRevoked}))
	_, err = h.Revoke(ctx, old.ID)
	require.NoError(t, err)
	expect("revoke again")
	_, _ = h.Verify(ctx, oldValue)
	expect("revoked", of(old, pat.Event{Type: pat.EventDenied, Reason: pat.ErrRevoked}))
	_, err = h.RevokeAll(ctx, pat.Owner{UserID: "alice"})
	require.NoError(t, err)
	expect("revoke all", of(rotated.Token, pat.Event{Type: pat.EventRevoked}))
	imported, err := h.Import(ctx, importParams(t))
	require.NoError(t, err)
	expect("import", of(imported, pat.Event{Type: pat.EventImported}))

	h.faults.Inject(storetest.EveryCall, storetest.Fail(errDown))
	_, err = h.Verify(ctx, oldValue)
	require.Error(t, err)
	expect("fault", pat.Event{Type: pat.EventDenied, Reason: err})
	_, _ = h.Create(ctx, pat.CreateParams{UserID: "alice", GroupID: "1", Name: "n"})
	_, _ = h.Revoke(ctx, rotated.Token.ID)
	expect("nothing happened")
}

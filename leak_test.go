package pat_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/leak"
	"github.com/patkit/pat/storetest"
)

// Every argument of the library, with a token value in it that does not belong there. An ArgumentError names the
// argument; nothing names what it was. RequireScope is left out: its scopes are the host's own, and the error lists them.
func TestNoErrorHoldsAValueThatWasPassed(t *testing.T) {
	r := &recorder{}
	h := newHouse(t, importing(pat.Config{Scopes: pat.PublicFullScopes(), OnEvent: r.OnEvent, GroupLimit: 2}))
	tok, value := h.create(t)
	ctx := t.Context()
	bad := value + "\x00" // where the value as such would be let through
	config := func(change func(*pat.Config)) error {
		var cfg pat.Config
		change(&cfg)
		_, err := pat.NewVerifier(h.store, cfg)
		return err
	}
	create := func(change func(*pat.CreateParams)) error {
		params := pat.CreateParams{UserID: "u", GroupID: "g", Name: "n"}
		change(&params)
		_, err := h.Create(ctx, params)
		return err
	}
	imports := func(change func(*pat.ImportParams)) error {
		params := importParams(t)
		change(&params)
		_, err := h.Import(ctx, params)
		return err
	}
	verify := func(value string) error { _, err := h.Verify(ctx, value); return err }
	result := func(_ any, err error) error { return err }

	failed := map[string]error{
		"NewScopes":                             result(pat.NewScopes(bad)),
		"ParseScopes":                           result(pat.ParseScopes(value + "  " + value)),
		"ParseDigest":                           result(pat.ParseDigest(value)),
		"scope policy":                          config(func(c *pat.Config) { c.Scopes.Implies = map[string][]string{bad: nil} }),
		"scope policy that implies the unknown": config(func(c *pat.Config) { c.Scopes.Implies = map[string][]string{"a": {value}} }),
		"default scope":                         config(func(c *pat.Config) { c.Scopes = pat.ScopePolicy{Implies: map[string][]string{}, Default: value} }),
		"pepper id":                             config(func(c *pat.Config) { c.PepperKeys = []pat.PepperKey{{ID: value, Key: pat.NewSecret(value)}} }),
		"pepper key":                            config(func(c *pat.Config) { c.PepperKeys = []pat.PepperKey{{ID: "k", Key: pat.NewSecret(value[17:48])}} }),
		"hasher":                                config(func(c *pat.Config) { c.Imported.Hashers = []pat.Hasher{&hasherNamed{value}} }),
		"create for a user":                     create(func(p *pat.CreateParams) { p.UserID = bad }),
		"create in a group":                     create(func(p *pat.CreateParams) { p.GroupID = bad }),
		"create with a name":                    create(func(p *pat.CreateParams) { p.Name = bad }),
		"create with scopes":                    create(func(p *pat.CreateParams) { p.Scopes = []string{value} }),
		"import by key":                         imports(func(p *pat.ImportParams) { p.LookupKey = bad }),
		"import by algorithm":                   imports(func(p *pat.ImportParams) { p.Algorithm = value }),
		"import of a digest":                    imports(func(p *pat.ImportParams) { p.Algorithm, p.Digest = "bcrypt", value }),
		"import with an id":                     imports(func(p *pat.ImportParams) { p.ID = value }),
		"import with scopes":                    imports(func(p *pat.ImportParams) { p.Scopes = []string{value} }),
		"import of a name":                      imports(func(p *pat.ImportParams) { p.Name = bad }),
		"get":                                   result(h.Get(ctx, value)),
		"revoke":                                result(h.Revoke(ctx, value)),
		"rotate":                                result(h.Rotate(ctx, value, pat.RotateParams{})),
		"revoke all":                            result(h.RevokeAll(ctx, pat.Owner{UserID: bad})),
		"list of a user":                        result(h.List(ctx, pat.ListParams{UserID: bad})),
		"list with a cursor":                    result(h.List(ctx, pat.ListParams{UserID: "u", Cursor: value})),
		"bcrypt":                                pat.Bcrypt().Check(value),
		"bcrypt match":                          result(pat.Bcrypt().Match(value, value)),
		"argon2id":                              pat.Argon2id().Check(value),
		"argon2id match":                        result(pat.Argon2id().Match("$argon2id$v=19$"+value, value)),
		"verify, malformed":                     verify(value[:54]),
		"verify, something":                     verify("Bearer " + value),
		"verify, unknown":                       verify(withChecksum("pat_AAAAAAAAAAAA" + value[16:49])),
		"verify, wrong":                         verify(otherSecret(value)),
		"verify, done":                          result(h.Verify(cancelled(), value)),
	}
	h.faults.Inject(storetest.EveryCall, storetest.Fail(errDown))
	failed["verify, down"] = verify(value)
	failed["create, down"] = create(func(*pat.CreateParams) {})
	h.faults.Heal()
	h.clock.Advance(100 * 24 * time.Hour)
	failed["verify, expired"] = verify(value)
	_, err := h.Revoke(ctx, tok.ID)
	require.NoError(t, err)
	failed["verify, revoked"] = verify(value)

	for where, err := range failed {
		require.Error(t, err, where)
		assertNoPartOf(t, value, where, fmt.Sprintf("%v %+v %#v %q", err, err, err, err))
		for ; err != nil; err = errors.Unwrap(err) {
			assertNoPartOf(t, value, where, fmt.Sprintf("%+v %#v", err, err))
		}
	}
	events := r.take()
	assert.Greater(t, len(events), 8)
	for _, e := range events {
		assertNoPartOf(t, value, "event", fmt.Sprintf("%+v %#v %v", e, e, e.Reason))
	}
	t.Logf("%d errors, %d events", len(failed), len(events))
}

// assertNoPartOf looks for the parts of a value's secret.
func assertNoPartOf(t *testing.T, value, where, text string) {
	t.Helper()
	_, secret, _ := strings.Cut(value, "-")
	assert.Empty(t, leak.Find(text, secret), where)
}

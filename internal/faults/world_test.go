// Package faults tests what becomes of every operation, in Go and over HTTP, when its store fails: at each call in turn,
// in each way, on each store.
package faults

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
	"github.com/patkit/pat/memory"
	"github.com/patkit/pat/sqlite"
	"github.com/patkit/pat/storetest"
)

// stores are what the faults happen to.
var stores = []struct {
	name string
	open func(t *testing.T) pat.Store
	// slow says that each world takes many writes to the disk.
	slow bool
}{
	{name: "memory", open: func(*testing.T) pat.Store { return memory.New() }},
	{name: "sqlite in memory", open: func(t *testing.T) pat.Store { return openSQLite(t, ":memory:") }},
	{name: "sqlite", open: func(t *testing.T) pat.Store { return openSQLite(t, filepath.Join(t.TempDir(), "pat.db")) }, slow: true},
}

// openSQLite opens a database whose Close, which waits for every connection, shows those that were leaked.
func openSQLite(t *testing.T, path string) pat.Store {
	s, err := sqlite.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// world is a service with a few tokens. Its clock is that of the bubble that each cell runs in, see testing/synctest.
type world struct {
	t        *testing.T
	held     pat.Store // what is really there
	faults   *storetest.Faulty
	issuer   *pat.Issuer
	verifier *pat.Verifier
	handler  http.Handler // the routes
	guarded  http.Handler // a route of the host, behind RequireToken
	tokens   map[string]pat.Token
	values   map[string]string

	mu      sync.Mutex
	failed  []error // what EventWriteFailed has told
	reports []error // what OnError was told
	passed  int     // how many requests came through to the host's route
}

const (
	oldValue  = "old.key.secret"
	oldDigest = "$2a$04$yiCgKMNlSPZPC4C6fbfonuBTVzVXG3ZCTxZEfAJD4.QMpESHA19Ki" // bcrypt of it, at the lowest cost
	session   = "a-session"

	crowdedGroup = "2"
)

func newWorld(t *testing.T, open func(*testing.T) pat.Store) *world {
	held := open(t)
	w := &world{
		t: t, held: held, faults: storetest.NewFaulty(held),
		tokens: make(map[string]pat.Token), values: map[string]string{"imported": oldValue},
	}
	w.fill()
	cfg := w.config()
	var err error
	w.issuer, err = pat.NewIssuer(w.faults, cfg)
	require.NoError(t, err)
	w.verifier, err = pat.NewVerifier(w.faults, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.verifier.Close(context.Background())) })
	w.handler, err = httpadapter.New(httpadapter.Config{
		Issuer: w.issuer, Verifier: w.verifier, OnError: w.report,
		Authenticate: func(*http.Request) (httpadapter.Caller, error) { return httpadapter.Caller{UserID: "alice"}, nil },
		Authorize: func(context.Context, httpadapter.Caller, httpadapter.Action, httpadapter.Target) error {
			return nil
		},
	})
	require.NoError(t, err)
	w.guarded = httpadapter.RequireToken(w.verifier, httpadapter.OnError(w.report))(http.HandlerFunc(
		func(http.ResponseWriter, *http.Request) { w.passed++ }))
	return w
}

func (w *world) config() pat.Config {
	return pat.Config{
		GroupLimit: 10,
		PepperKeys: []pat.PepperKey{{ID: "k1", Key: pat.NewSecret(make([]byte, 32))}},
		Imported: pat.Imported{
			LookupKey: func(value string) (string, bool) { return "key", value == oldValue },
			Hashers:   []pat.Hasher{pat.Bcrypt()},
		},
		OnEvent: func(_ context.Context, e pat.Event) {
			if e.Type == pat.EventWriteFailed {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.failed = append(w.failed, e.Reason)
			}
		},
	}
}

func (w *world) writesFailed() []error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.failed)
}

func (w *world) report(_ *http.Request, err error) { w.reports = append(w.reports, err) }

// importParams describes a token of an older system, with a slow digest.
func importParams(key string) pat.ImportParams {
	return pat.ImportParams{
		ID: "0199c0de-0000-7000-8000-000000000001", LookupKey: key, Algorithm: "bcrypt", Digest: oldDigest,
		UserID: "alice", GroupID: "1", Name: key, CreatedAt: time.Now(), ExpiresAt: time.Now().AddDate(1, 0, 0),
	}
}

// fill makes the tokens: "current", whose digest is as new ones are; "outdated", made before there was a pepper;
// "imported", with a slow digest; "second", which replaced "first"; and one of bob.
func (w *world) fill() {
	plain := w.config()
	plain.PepperKeys = nil
	unpeppered, err := pat.NewIssuer(w.held, plain)
	require.NoError(w.t, err)
	issuer, err := pat.NewIssuer(w.held, w.config())
	require.NoError(w.t, err)
	create := func(issuer *pat.Issuer, user, name string) {
		issued, err := issuer.Create(w.t.Context(), pat.CreateParams{UserID: user, GroupID: "1", Name: name})
		require.NoError(w.t, err)
		w.tokens[name], w.values[name] = issued.Token, issued.Value.Reveal()
	}
	create(issuer, "alice", "current")
	create(unpeppered, "alice", "outdated")
	create(issuer, "alice", "first")
	create(issuer, "bob", "of bob")
	second, err := issuer.Rotate(w.t.Context(), w.tokens["first"].ID, pat.RotateParams{})
	require.NoError(w.t, err)
	w.tokens["second"], w.values["second"] = second.Token, second.Value.Reveal()
	params := importParams("key")
	params.ID, params.Name = "", "imported"
	w.tokens["imported"], err = issuer.Import(w.t.Context(), params)
	require.NoError(w.t, err)
}

// crowd adds n expired tokens in a group of their own.
func (w *world) crowd(n int) {
	if n == 0 {
		return
	}
	rec, err := w.held.FindByPrefix(w.t.Context(), w.tokens["current"].Prefix)
	require.NoError(w.t, err)
	for i := range n {
		rec.Token.ID = fmt.Sprintf("0199c0de-0000-7000-8001-%012x", i)
		rec.Token.Prefix = fmt.Sprintf("Prefix%06d", i)
		rec.Token.GroupID, rec.Token.ExpiresAt = crowdedGroup, rec.Token.CreatedAt.Add(time.Microsecond)
		require.NoError(w.t, w.held.Insert(w.t.Context(), rec, 0))
	}
	time.Sleep(time.Second) // to their end, on the bubble's clock
}

// state is everything that the store holds, but for what is drawn at random: a token that was not there at first is
// called new. Of the last use it says only whether there was one.
func (w *world) state() string {
	labels := map[string]string{"": "none"}
	for name, tok := range w.tokens {
		labels[tok.ID] = name
	}
	label := func(id string) string { return cmp.Or(labels[id], "new") }
	var lines []string
	for _, group := range []string{"1", crowdedGroup} {
		tokens, err := w.held.List(context.Background(), pat.ListQuery{Owner: pat.Owner{GroupID: group}, IncludeRevoked: true, Limit: 10_000})
		require.NoError(w.t, err)
		for _, tok := range tokens {
			var rec pat.Record
			if group != crowdedGroup { // where nobody verifies, and there are too many to ask for each
				rec, err = w.held.FindByPrefix(context.Background(), tok.Prefix)
				require.NoError(w.t, err)
				require.Equal(w.t, tok, rec.Token)
			}
			lines = append(lines, fmt.Sprintf("%s/%s: %q of %s, may %v, %s/%s, made %v, changed %v, ends %v, revoked %v, used %t, from %s, to %s",
				group, label(tok.ID), tok.Name, tok.UserID, tok.Scopes, rec.Digest.Algorithm(), rec.Digest.KeyID(),
				tok.CreatedAt, tok.UpdatedAt, tok.ExpiresAt, tok.RevokedAt, !tok.LastUsedAt.IsZero(), label(tok.RotatedFrom), label(tok.RotatedTo)))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// Package faults tests what becomes of every operation, in Go and over HTTP, when its store fails: at each call in turn,
// in each way, on each store. It has tests alone, which stand here because they are about several packages at once.
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
	"github.com/patkit/pat/cache"
	"github.com/patkit/pat/httpadapter"
	"github.com/patkit/pat/memory"
	"github.com/patkit/pat/sqlite"
	"github.com/patkit/pat/storetest"
)

// backend is a store to which the faults happen.
type backend struct {
	name string
	open func(t *testing.T) pat.Store
	// slow says that each service takes many writes to the disk.
	slow bool
	// cached says that the service uses it through a cache.
	cached bool
}

var stores = []backend{
	{name: "memory", open: func(*testing.T) pat.Store { return memory.New() }},
	{name: "sqlite in memory", open: func(t *testing.T) pat.Store { return openSQLite(t, ":memory:") }},
	{name: "sqlite", open: func(t *testing.T) pat.Store { return openSQLite(t, filepath.Join(t.TempDir(), "pat.db")) }, slow: true},
	{name: "cache", open: func(*testing.T) pat.Store { return memory.New() }, cached: true},
}

// openSQLite opens a database whose Close, which waits for every connection, shows those that were leaked.
func openSQLite(t *testing.T, path string) pat.Store {
	s, err := sqlite.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// service embeds the library, with a few tokens. Its clock is that of the bubble that each cell runs in, see testing/synctest.
type service struct {
	t        *testing.T
	held     pat.Store // what is really there
	faults   *storetest.Faulty
	store    pat.Store // what the service uses: faults, or a cache in front of it
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

	// staleness is for how long a cache may hold what its store had got wrong. It is shorter than any write is put off.
	staleness = 10 * time.Millisecond
)

func newService(t *testing.T, on backend) *service {
	held := on.open(t)
	s := &service{
		t: t, held: held, faults: storetest.NewFaulty(held),
		tokens: make(map[string]pat.Token), values: map[string]string{"imported": oldValue},
	}
	s.fill()
	cfg := s.config()
	var err error
	s.store = s.faults
	if on.cached {
		s.store, err = cache.New(s.faults, cache.WithMaxStaleness(staleness))
		require.NoError(t, err)
	}
	s.issuer, err = pat.NewIssuer(s.store, cfg)
	require.NoError(t, err)
	s.verifier, err = pat.NewVerifier(s.store, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.verifier.Close(context.Background())) })
	s.handler, err = httpadapter.New(httpadapter.Config{
		Issuer: s.issuer, Verifier: s.verifier, OnError: s.report,
		Authenticate: func(*http.Request) (httpadapter.Caller, error) { return httpadapter.Caller{UserID: "alice"}, nil },
		Authorize: func(context.Context, httpadapter.Caller, httpadapter.Action, httpadapter.Target) error {
			return nil
		},
	})
	require.NoError(t, err)
	s.guarded = httpadapter.RequireToken(s.verifier, httpadapter.OnError(s.report))(http.HandlerFunc(
		func(http.ResponseWriter, *http.Request) { s.passed++ }))
	return s
}

func (s *service) config() pat.Config {
	return pat.Config{
		GroupLimit: 10,
		PepperKeys: []pat.PepperKey{{ID: "k1", Key: pat.NewSecret(make([]byte, 32))}},
		Imported: pat.Imported{
			LookupKey: func(value string) (string, bool) { return "key", value == oldValue },
			Hashers:   []pat.Hasher{pat.Bcrypt()},
		},
		OnEvent: func(_ context.Context, e pat.Event) {
			if e.Type == pat.EventWriteFailed {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.failed = append(s.failed, e.Reason)
			}
		},
	}
}

func (s *service) writesFailed() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.failed)
}

func (s *service) report(_ *http.Request, err error) { s.reports = append(s.reports, err) }

// importParams describes a token of an older system, with a slow digest.
func importParams(key string) pat.ImportParams {
	return pat.ImportParams{
		ID: "0199c0de-0000-7000-8000-000000000001", LookupKey: key, Algorithm: "bcrypt", Digest: oldDigest,
		UserID: "alice", GroupID: "1", Name: key, CreatedAt: time.Now(), ExpiresAt: time.Now().AddDate(1, 0, 0),
	}
}

// fill makes the tokens: "current", whose digest is as new ones are; "outdated", made before there was a pepper;
// "imported", with a slow digest; "second", which replaced "first"; and one of bob.
func (s *service) fill() {
	plain := s.config()
	plain.PepperKeys = nil
	unpeppered, err := pat.NewIssuer(s.held, plain)
	require.NoError(s.t, err)
	issuer, err := pat.NewIssuer(s.held, s.config())
	require.NoError(s.t, err)
	create := func(issuer *pat.Issuer, user, name string) {
		issued, err := issuer.Create(s.t.Context(), pat.CreateParams{UserID: user, GroupID: "1", Name: name})
		require.NoError(s.t, err)
		s.tokens[name], s.values[name] = issued.Token, issued.Value.Reveal()
	}
	create(issuer, "alice", "current")
	create(unpeppered, "alice", "outdated")
	create(issuer, "alice", "first")
	create(issuer, "bob", "of bob")
	second, err := issuer.Rotate(s.t.Context(), s.tokens["first"].ID, pat.RotateParams{})
	require.NoError(s.t, err)
	s.tokens["second"], s.values["second"] = second.Token, second.Value.Reveal()
	params := importParams("key")
	params.ID, params.Name = "", "imported"
	s.tokens["imported"], err = issuer.Import(s.t.Context(), params)
	require.NoError(s.t, err)
}

// crowd adds n expired tokens in a group of their own. There are no others that a purge would take then: which ones it
// takes first is up to the store.
func (s *service) crowd(n int) {
	if n == 0 {
		return
	}
	time.Sleep(time.Second) // on the bubble's clock, to the end of the rotated token
	_, err := s.held.Purge(s.t.Context(), time.Now(), n)
	require.NoError(s.t, err)
	rec, err := s.held.FindByPrefix(s.t.Context(), s.tokens["current"].Prefix)
	require.NoError(s.t, err)
	for i := range n {
		rec.Token.ID = fmt.Sprintf("0199c0de-0000-7000-8001-%012x", i)
		rec.Token.Prefix = fmt.Sprintf("Prefix%06d", i)
		rec.Token.GroupID, rec.Token.ExpiresAt = crowdedGroup, rec.Token.CreatedAt.Add(time.Microsecond)
		require.NoError(s.t, s.held.Insert(s.t.Context(), rec, 0))
	}
	time.Sleep(time.Second) // to their end, on the bubble's clock
}

// state is everything that the store holds, but for what is drawn at random: a token that was not there at first is
// called new. Of the last use it says only whether there was one.
func (s *service) state() string {
	labels := map[string]string{"": "none"}
	for name, tok := range s.tokens {
		labels[tok.ID] = name
	}
	label := func(id string) string { return cmp.Or(labels[id], "new") }
	var lines []string
	for _, group := range []string{"1", crowdedGroup} {
		tokens, err := s.held.List(context.Background(), pat.ListQuery{Owner: pat.Owner{GroupID: group}, IncludeRevoked: true, Limit: 10_000})
		require.NoError(s.t, err)
		for _, tok := range tokens {
			var rec pat.Record
			if group != crowdedGroup { // where nobody verifies, and there are too many to ask for each
				rec, err = s.held.FindByPrefix(context.Background(), tok.Prefix)
				require.NoError(s.t, err)
				require.Equal(s.t, tok, rec.Token)
			}
			lines = append(lines, fmt.Sprintf("%s/%s: %q of %s, may %v, %s/%s, made %v, changed %v, ends %v, revoked %v, used %t, from %s, to %s",
				group, label(tok.ID), tok.Name, tok.UserID, tok.Scopes, rec.Digest.Algorithm(), rec.Digest.KeyID(),
				tok.CreatedAt, tok.UpdatedAt, tok.ExpiresAt, tok.RevokedAt, !tok.LastUsedAt.IsZero(), label(tok.RotatedFrom), label(tok.RotatedTo)))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

package httpadapter_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
	"github.com/patkit/pat/memory"
	"github.com/patkit/pat/storetest"
)

// The bearer credentials that the test's host knows. Groups 1, 2 and 3 exist; nobody may act in group 3.
const (
	alice     = "alice-session" // everything in groups 1 and 2
	bob       = "bob-session"   // lists group 2
	carol     = "carol-session" // nothing
	nameless  = "nameless-session"
	faulty    = "faulty-session"    // Authenticate fails
	panicking = "panicking-session" // Authenticate panics
)

// Groups on which Authorize fails in its own way.
const (
	faultyGroup    = "500"
	panickingGroup = "501"
)

const base = httpadapter.DefaultBasePath

var (
	start    = time.Date(2026, time.March, 1, 12, 0, 0, 123456000, time.UTC)
	errFault = errors.New("the secret text of a fault")
)

// host is a service that embeds the adapter.
type host struct {
	t        *testing.T
	store    *storetest.Faulty
	clock    *clock
	issuer   *pat.Issuer
	verifier *pat.Verifier
	handler  http.Handler

	mu      sync.Mutex
	reports []error
	asked   []question
}

// question is what Authorize was asked.
type question struct {
	caller httpadapter.Caller
	action httpadapter.Action
	target httpadapter.Target
}

type settings struct {
	pat     pat.Config
	adapter httpadapter.Config
}

// newHost starts a service with a memory store, the documented scopes and a limit of ten tokens.
func newHost(t *testing.T, changes ...func(*settings)) *host {
	t.Helper()
	h := &host{t: t, clock: &clock{now: start}, store: storetest.NewFaulty(memory.New())}
	var s settings
	s.pat = pat.Config{Now: h.clock.Now, Scopes: pat.PublicFullScopes(), GroupLimit: 10}
	s.adapter = httpadapter.Config{Authenticate: authenticate, Authorize: h.authorize, OnError: h.report}
	for _, change := range changes {
		change(&s)
	}
	var err error
	h.issuer, err = pat.NewIssuer(h.store, s.pat)
	require.NoError(t, err)
	h.verifier, err = pat.NewVerifier(h.store, s.pat)
	require.NoError(t, err)
	t.Cleanup(func() {
		h.store.Heal()
		assert.NoError(t, h.verifier.Close(context.Background()))
	})
	s.adapter.Issuer, s.adapter.Verifier = h.issuer, h.verifier
	h.handler, err = httpadapter.New(s.adapter)
	require.NoError(t, err)
	return h
}

func authenticate(r *http.Request) (httpadapter.Caller, error) {
	switch credential := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "); {
	case credential == alice, credential == bob, credential == carol:
		name, _, _ := strings.Cut(credential, "-")
		return httpadapter.Caller{UserID: name, Value: credential}, nil
	case credential == nameless:
		return httpadapter.Caller{}, nil
	case credential == faulty:
		return httpadapter.Caller{UserID: "alice"}, errFault
	case credential == panicking:
		panic(errFault)
	case strings.HasPrefix(credential, "pat_"):
		return httpadapter.Caller{UserID: "alice"}, nil // a host that takes more than it should
	}
	return httpadapter.Caller{}, httpadapter.ErrUnauthenticated
}

func (h *host) authorize(_ context.Context, caller httpadapter.Caller, action httpadapter.Action, target httpadapter.Target) error {
	h.mu.Lock()
	h.asked = append(h.asked, question{caller, action, target})
	h.mu.Unlock()
	group := target.GroupID
	switch {
	case group == faultyGroup:
		return errFault
	case group == panickingGroup:
		panic(errFault)
	case group != "1" && group != "2" && group != "3":
		return httpadapter.ErrGroupNotFound
	case caller.UserID == "alice" && group != "3",
		caller.UserID == "bob" && group == "2" && action == httpadapter.ActionList:
		return nil
	}
	return httpadapter.ErrForbidden
}

func (h *host) report(_ *http.Request, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reports = append(h.reports, err)
}

// issue makes a token beside the API.
func (h *host) issue(params pat.CreateParams) (pat.Token, string) {
	h.t.Helper()
	if params.UserID == "" {
		params.UserID = "alice"
	}
	if params.GroupID == "" {
		params.GroupID = "1"
	}
	if params.Name == "" {
		params.Name = "ci"
	}
	issued, err := h.issuer.Create(h.t.Context(), params)
	require.NoError(h.t, err)
	return issued.Token, issued.Value.Reveal()
}

func (h *host) stored(id string) pat.Token {
	h.t.Helper()
	tok, err := h.issuer.Get(h.t.Context(), id)
	require.NoError(h.t, err)
	return tok
}

// answer is what a client gets.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) code() string {
	var doc struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal([]byte(a.body), &doc)
	return doc.Code
}

func (a answer) object(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.body), &v), a.body)
	return v
}

func (a answer) rows(t *testing.T) []map[string]any {
	t.Helper()
	var v []map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.body), &v), a.body)
	return v
}

// bearer makes the Authorization header of a credential, and none of "".
func bearer(credential string) http.Header {
	if credential == "" {
		return http.Header{}
	}
	return http.Header{"Authorization": {"Bearer " + credential}}
}

func (h *host) do(method, target string, header http.Header, body string) answer {
	h.t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req := httptest.NewRequest(method, target, r)
	req.Header = header
	return serve(h.t, h.handler, req)
}

func (h *host) list(credential, query string) answer {
	h.t.Helper()
	return h.do(http.MethodGet, base+"/pats?"+query, bearer(credential), "")
}

func (h *host) create(credential, body string) answer {
	h.t.Helper()
	return h.do(http.MethodPost, base+"/pats", bearer(credential), body)
}

func (h *host) delete(credential, id string) answer {
	h.t.Helper()
	return h.do(http.MethodDelete, base+"/pats/"+id, bearer(credential), "")
}

func (h *host) verify(header http.Header, body string) answer {
	h.t.Helper()
	return h.do(http.MethodPost, base+"/pats/verify", header, body)
}

// serve asks the handler, and checks what holds for every answer of this package.
func serve(t *testing.T, handler http.Handler, r *http.Request) answer {
	t.Helper()
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	got := answer{status: recorder.Code, header: recorder.Header(), body: recorder.Body.String()}

	assert.Equal(t, []string{"no-store"}, got.header.Values("Cache-Control"), "every answer carries Cache-Control: no-store")
	if got.body != "" {
		assert.Equal(t, []string{"nosniff"}, got.header.Values("X-Content-Type-Options"))
	}
	if got.status < 400 {
		return got
	}
	assert.Equal(t, []string{"application/problem+json"}, got.header.Values("Content-Type"), "errors are problem documents")
	doc := got.object(t)
	assert.Equal(t, "about:blank", doc["type"])
	assert.Equal(t, http.StatusText(got.status), doc["title"])
	assert.EqualValues(t, got.status, doc["status"])
	assert.NotEmpty(t, doc["detail"])
	assert.NotEmpty(t, doc["code"])
	assert.Len(t, doc, 5)
	assert.NotContains(t, got.body, errFault.Error(), "no answer says what went wrong inside")
	if got.status == http.StatusUnauthorized {
		assert.Len(t, got.header.Values("WWW-Authenticate"), 1, "every 401 carries one challenge")
	}
	if got.status == http.StatusMethodNotAllowed {
		assert.Len(t, got.header.Values("Allow"), 1, "every 405 says what is allowed")
	}
	return got
}

// clock is a clock that is set by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// remember returns an Authorize that allows everything and notes the group.
func remember(group *string) func(context.Context, httpadapter.Caller, httpadapter.Action, httpadapter.Target) error {
	return func(_ context.Context, _ httpadapter.Caller, _ httpadapter.Action, target httpadapter.Target) error {
		*group = target.GroupID
		return nil
	}
}

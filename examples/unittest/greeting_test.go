package unittest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/examples/unittest"
	"github.com/patkit/pat/memory"
)

// clock is what Config.Now is set to. It moves only when the test says so.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

// fixture is all that a test of a guarded handler needs.
type fixture struct {
	clock   *clock
	issuer  *pat.Issuer
	handler http.Handler
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	store := memory.New()
	f := &fixture{clock: &clock{now: time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)}}
	// A negative interval records no last-used times, so that nothing is left to close.
	cfg := pat.Config{Now: f.clock.Now, LastUsedInterval: -1}

	var err error
	f.issuer, err = pat.NewIssuer(store, cfg)
	require.NoError(t, err)
	verifier, err := pat.NewVerifier(store, cfg)
	require.NoError(t, err)
	f.handler = unittest.NewGreeting(verifier)
	return f
}

// newToken makes a token of alice's that lives for an hour.
func (f *fixture) newToken(t *testing.T, scope string) pat.Issued {
	t.Helper()
	issued, err := f.issuer.Create(t.Context(), pat.CreateParams{
		UserID: "alice", GroupID: "1", Name: "test", Scopes: []string{scope}, Lifetime: time.Hour,
	})
	require.NoError(t, err)
	return issued
}

// get sends a request with the value, or without one.
func (f *fixture) get(t *testing.T, value string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/greeting", http.NoBody)
	if value != "" {
		r.Header.Set("Authorization", "Bearer "+value)
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	return w
}

func TestGreetsTheOwnerOfTheToken(t *testing.T) {
	f := newFixture(t)
	w := f.get(t, f.newToken(t, "greetings:read").Value.Reveal())
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "hello, alice", w.Body.String())
}

func TestNeedsAToken(t *testing.T) {
	assert.Equal(t, http.StatusUnauthorized, newFixture(t).get(t, "").Code)
}

func TestNeedsTheScope(t *testing.T) {
	f := newFixture(t)
	w := f.get(t, f.newToken(t, "greetings:write").Value.Reveal())
	assert.Equal(t, http.StatusForbidden, w.Code)
}

func TestATokenEndsAtItsExpiryToTheInstant(t *testing.T) {
	f := newFixture(t)
	value := f.newToken(t, "greetings:read").Value.Reveal()

	f.clock.now = f.clock.now.Add(time.Hour - time.Microsecond)
	assert.Equal(t, http.StatusOK, f.get(t, value).Code)
	f.clock.now = f.clock.now.Add(time.Microsecond)
	assert.Equal(t, http.StatusUnauthorized, f.get(t, value).Code)
}

func TestARevokedTokenIsRefused(t *testing.T) {
	f := newFixture(t)
	issued := f.newToken(t, "greetings:read")

	_, err := f.issuer.Revoke(t.Context(), issued.Token.ID)
	require.NoError(t, err)
	assert.Equal(t, http.StatusUnauthorized, f.get(t, issued.Value.Reveal()).Code)
}

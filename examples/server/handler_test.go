package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
	"github.com/patkit/pat/memory"
)

const base = httpadapter.DefaultBasePath

// service is the handler on a store of its own, with its log.
type service struct {
	t       *testing.T
	store   *flakyStore
	handler http.Handler
	log     *bytes.Buffer
}

// flakyStore can find nothing out while it is down.
type flakyStore struct {
	pat.Store
	down bool
}

func (s *flakyStore) FindByPrefix(ctx context.Context, prefix string) (pat.Record, error) {
	if s.down {
		return pat.Record{}, errors.New("the store is down")
	}
	return s.Store.FindByPrefix(ctx, prefix)
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{t: t, store: &flakyStore{Store: memory.New()}, log: new(bytes.Buffer)}
	handler, verifier, err := newHandler(s.store, slog.New(slog.NewTextHandler(s.log, nil)))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, verifier.Close(context.WithoutCancel(t.Context()))) })
	s.handler = handler
	return s
}

func (s *service) call(method, path, credential, body string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, path, strings.NewReader(body))
	if credential != "" {
		r.Header.Set("Authorization", "Bearer "+credential)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

type created struct{ ID, Token, CreatedAt, ExpiresAt string }

// create makes a token as alice and returns its id and value.
func (s *service) create(group int, fields string) created {
	s.t.Helper()
	w := s.call("POST", base+"/pats", "alice-session", `{"name":"test","groupId":`+strconv.Itoa(group)+fields+`}`)
	require.Equal(s.t, http.StatusCreated, w.Code, w.Body)
	var c created
	require.NoError(s.t, json.Unmarshal(w.Body.Bytes(), &c))
	return c
}

func TestWhoMayDoWhat(t *testing.T) {
	s := newService(t)
	inGroup1, inGroup2 := s.create(1, ""), s.create(2, "")

	// In the order of the columns: list, create, and a revoke of a token in this group. A caller who may not even see a
	// token is told that there is none.
	tests := []struct {
		credential           string
		group                int
		list, create, revoke int
	}{
		{"carol-session", 1, 403, 403, 404},
		{"carol-session", 2, 403, 403, 404},
		{"carol-session", 3, 403, 403, 404},
		{"carol-session", 999, 404, 404, 404},
		{"bob-session", 1, 403, 403, 404},
		{"bob-session", 2, 200, 403, 403},
		{"bob-session", 3, 403, 403, 404},
		{"bob-session", 999, 404, 404, 404},
		{"nobody-session", 1, 401, 401, 401},
		{"nobody-session", 2, 401, 401, 401},
		{"", 1, 401, 401, 401},
		{"", 2, 401, 401, 401},
		{inGroup1.Token, 1, 401, 401, 401}, // a token does not manage tokens
		{"alice-session", 3, 403, 403, 404},
		{"alice-session", 999, 404, 404, 404},
		{"alice-session", 1, 200, 201, 204},
		{"alice-session", 2, 200, 201, 204},
	}
	for _, test := range tests {
		who := test.credential
		if strings.HasPrefix(who, "pat_") {
			who = "a token"
		}
		t.Run(who+" in group "+strconv.Itoa(test.group), func(t *testing.T) {
			group := strconv.Itoa(test.group)
			w := s.call("GET", base+"/pats?groupId="+group, test.credential, "")
			assert.Equal(t, test.list, w.Code, "list: %s", w.Body)

			w = s.call("POST", base+"/pats", test.credential, `{"name":"x","groupId":`+group+`}`)
			assert.Equal(t, test.create, w.Code, "create: %s", w.Body)

			id := map[int]string{1: inGroup1.ID, 2: inGroup2.ID}[test.group]
			if id == "" { // groups 3 and 999 have no tokens
				id = "019b0000-0000-7000-8000-000000000000"
			}
			w = s.call("DELETE", base+"/pats/"+id, test.credential, "")
			assert.Equal(t, test.revoke, w.Code, "revoke: %s", w.Body)
		})
	}
}

func TestAGroupHasAtMostTenTokens(t *testing.T) {
	s := newService(t)
	for range 10 {
		s.create(1, "")
	}
	w := s.call("POST", base+"/pats", "alice-session", `{"name":"one more","groupId":1}`)
	assert.Equal(t, http.StatusForbidden, w.Code)
	assert.Contains(t, w.Body.String(), "token_limit_reached")
	s.create(2, "") // the other group has room
}

func TestLifetimes(t *testing.T) {
	s := newService(t)
	s.create(1, `,"expiresInDays":1825`)
	w := s.call("POST", base+"/pats", "alice-session", `{"name":"x","groupId":1,"expiresInDays":1826}`)
	assert.Equal(t, http.StatusBadRequest, w.Code)

	c := s.create(1, "")
	lived := parseTime(t, c.ExpiresAt).Sub(parseTime(t, c.CreatedAt))
	assert.InDelta(t, 90*24, lived.Hours(), 0, "the default lifetime")
}

func TestProfileRoutesAreGuardedByTheRouteTable(t *testing.T) {
	s := newService(t)
	public, full := s.create(1, `,"scopes":["public_scope"]`).Token, s.create(1, `,"scopes":["full_scope"]`).Token
	revoked := s.create(1, "")
	require.Equal(t, http.StatusNoContent, s.call("DELETE", base+"/pats/"+revoked.ID, "alice-session", "").Code)

	tests := []struct {
		name, method, path, credential string
		want                           int
	}{
		{"public_scope reads the profile", "GET", "/profile", public, 200},
		{"full_scope implies it", "GET", "/profile", full, 200},
		{"public_scope does anything below the profile", "PUT", "/profile/picture/small", public, 200},
		{"a route that is not listed needs full_scope", "POST", "/profile", public, 403},
		{"and full_scope has it", "POST", "/profile", full, 200},
		{"no token", "GET", "/profile", "", 401},
		{"a session is no token", "GET", "/profile", "alice-session", 401},
		{"a revoked token", "GET", "/profile", revoked.Token, 401},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := s.call(test.method, base+test.path, test.credential, "")
			assert.Equal(t, test.want, w.Code, w.Body)
			if test.want == http.StatusOK {
				assert.Contains(t, w.Body.String(), `"userId":"alice"`)
			}
		})
	}
}

func TestATokenEndsWhenItsOwnerHasNothingToDoInTheGroupAnyMore(t *testing.T) {
	tests := []struct {
		name, user, group string
		want              int
		wantCode          string
	}{
		{"carol has no rights", "carol", "1", 401, "invalid_token"},
		{"alice has none in group 3", "alice", "3", 401, "invalid_token"},
		{"a user that does not exist", "dave", "1", 401, "invalid_token"},
		{"bob may still list in group 2", "bob", "2", 200, ""},
		{"alice is still in group 1", "alice", "1", 200, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newService(t)
			// As if it had been made while they still could: the API would not make it now.
			issuer, err := pat.NewIssuer(s.store, pat.Config{Scopes: pat.PublicFullScopes()})
			require.NoError(t, err)
			issued, err := issuer.Create(t.Context(), pat.CreateParams{UserID: test.user, GroupID: test.group, Name: "test"})
			require.NoError(t, err)
			value := issued.Value.Reveal()

			for _, w := range []*httptest.ResponseRecorder{
				s.call("POST", base+"/pats/verify", "", `{"token":"`+value+`"}`),
				s.call("GET", base+"/profile", value, ""),
			} {
				var answer struct{ Code string }
				require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
				assert.Equal(t, test.want, w.Code, w.Body)
				assert.Equal(t, test.wantCode, answer.Code)
			}
		})
	}
}

func TestTheDescriptionIsServed(t *testing.T) {
	w := newService(t).call("GET", "/openapi.json", "", "")
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Contains(t, w.Body.String(), `"`+base+`"`)
}

func TestEventsAreLoggedOneLineEachAndWithoutSecrets(t *testing.T) {
	s := newService(t)
	c := s.create(1, "")
	s.call("POST", base+"/pats/verify", "", `{"token":"`+c.Token+`"}`)
	s.call("POST", base+"/pats/verify", "", `{"token":"`+c.Token+`x"}`)
	s.call("DELETE", base+"/pats/"+c.ID, "alice-session", "")

	about := " token=" + c.ID + " user=alice group=1"
	wants := []string{
		`level=INFO msg="token event" type=created` + about,
		`level=INFO msg="token event" type=verified` + about,
		`level=WARN msg="token event" type=denied reason="pat: invalid token: malformed"`,
		`level=INFO msg="token event" type=revoked` + about,
	}
	lines := strings.Split(strings.TrimSpace(s.log.String()), "\n")
	require.Len(t, lines, len(wants))
	for i, want := range wants {
		_, line, _ := strings.Cut(lines[i], " ") // behind the time
		assert.Equal(t, want, line)
	}
	assert.NotContains(t, s.log.String(), "pat_")
}

func TestAFaultIsLoggedWithItsCauseAndWithoutWhatTheClientSent(t *testing.T) {
	s := newService(t)
	value := s.create(1, "").Token
	s.store.down = true
	s.log.Reset()
	w := s.call("GET", base+"/profile/"+value+"?token="+value, value, "")
	require.Equal(t, http.StatusInternalServerError, w.Code)
	w = s.call("POST", base+"/pats/verify?token="+value, "", `{"token":"`+value+`"}`)
	require.Equal(t, http.StatusInternalServerError, w.Code)

	log := s.log.String()
	const cause = ` error="pat: verify: the store is down"`
	assert.Contains(t, log, `level=ERROR msg="internal error" method=GET route=`+base+`/profile/`+cause)
	assert.Contains(t, log, `level=ERROR msg="internal error" method=POST route=/`+cause)
	assert.NotContains(t, log, "pat_")
}

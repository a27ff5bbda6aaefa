package httpadapter_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
)

// FuzzList sends any credential and any query.
func FuzzList(f *testing.F) {
	for _, query := range []string{
		"", "groupId=1", "groupId=2&limit=1", "groupId=1&includeRevoked=true", "groupId=1&limit=1&cursor=AAYxZ", "groupId=01",
		"groupId=9007199254740992", "groupId=%31", "groupId=1&groupId=2", "groupId=3", "groupId=4", "groupId=1;", "groupId=1&limit=1001",
	} {
		f.Add("Bearer "+alice, query)
		f.Add("bearer  "+bob+" ", query)
	}
	for _, credential := range []string{"", "Bearer", "Basic x", "Bearer " + fullValue, "Bearer " + publicValue + "x", "Bearer ~"} {
		f.Add(credential, "groupId=1")
	}
	f.Fuzz(func(t *testing.T, authorization, query string) {
		h := newFuzzedHost(t)
		r := httptest.NewRequest(http.MethodGet, base+"/pats", http.NoBody)
		r.URL.RawQuery = query
		r.Header["Authorization"] = []string{authorization}
		got := serve(t, h.handler, r)
		checkFixed(t, got, 200, 400, 401, 403, 404)
		if got.status != http.StatusOK {
			if authorization == "Bearer "+alice && (query == "groupId=1" || query == "groupId=2") {
				t.Fatalf("status %d for the plain list", got.status)
			}
			return
		}
		caller := credentialOf(authorization)
		values, err := url.ParseQuery(query)
		group := values.Get("groupId")
		if err != nil || len(values["groupId"]) != 1 || !httpadapter.IsSpecifiedGroup(group) {
			t.Fatal("listed for a query that names no group")
		}
		if !(caller == alice && (group == "1" || group == "2")) && !(caller == bob && group == "2") {
			t.Fatal("listed for a caller who may not")
		}
		rows := got.rows(t)
		for _, row := range rows {
			if _, secret := row["token"]; secret || string(asJSON(t, row["groupId"])) != group {
				t.Fatalf("listed %v", row)
			}
			if row["revokedAt"] != nil && values.Get("includeRevoked") != "true" {
				t.Fatal("listed a revoked token")
			}
		}
		if want := map[string]int{"1": 2, "2": 1}[group]; len(values) == 1 && len(rows) != want {
			t.Fatalf("%d rows of %d", len(rows), want)
		}
	})
}

func asJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return text
}

// FuzzCreate sends any credential and any body.
func FuzzCreate(f *testing.F) {
	for _, body := range []string{
		``, `{}`, `{"name":"ci","groupId":1}`, `{"name":" ci ","groupId":2,"scopes":["full_scope"],"expiresInDays":1825}`,
		`{"name":"ci","groupId":1,"expiresInDays":0}`, `{"name":"ci","groupId":1.0}`, `{"name":"ci","groupId":1,"scopes":["x"]}`,
		`{"name":1,"groupId":1}`, `{"name":"ci","groupId":1,"scopes":"x"}`, `{"name":"ci","groupId":1,"scopes":[1]}`,
		`{"name":"ci","groupId":1,"userId":"bob","id":"` + publicID + `","revokedAt":null,"token":"` + unknownValue + `"}`,
		`{"name":"\u202e","groupId":1}`, `{"name":"ci","groupId":3}`, `{"name":"ci","groupId":4}`, `{"name":"ci","name":"ci","groupId":1}`,
	} {
		f.Add("Bearer "+alice, []byte(body))
	}
	f.Add("Bearer "+bob, []byte(`{"name":"ci","groupId":2}`))
	f.Add("Bearer "+fullValue, []byte(`{"name":"ci","groupId":2}`))
	f.Fuzz(func(t *testing.T, authorization string, body []byte) {
		h := newFuzzedHost(t)
		before := len(h.tokens())
		r := httptest.NewRequest(http.MethodPost, base+"/pats", bytes.NewReader(body))
		r.Header["Authorization"] = []string{authorization}
		got := serve(t, h.handler, r)
		checkFixed(t, got, 201, 400, 401, 403, 404)
		after := len(h.tokens())
		if got.status != http.StatusCreated {
			if after != before {
				t.Fatalf("status %d, and a token", got.status)
			}
			return
		}
		if credentialOf(authorization) != alice || after != before+1 {
			t.Fatalf("created by %q, %d tokens", authorization, after)
		}
		var asked struct {
			Name    string
			GroupID json.RawMessage `json:"groupId"`
			Scopes  []string
			Days    *json.Number `json:"expiresInDays"`
		}
		fields := make(map[string]json.RawMessage)
		require.NoError(t, json.Unmarshal(body, &fields))
		for name := range fields { // encoding/json would take "NAME" for "name"
			if name != "name" && name != "groupId" && name != "scopes" && name != "expiresInDays" {
				delete(fields, name)
			}
		}
		require.NoError(t, json.Unmarshal(asJSON(t, fields), &asked))
		checkCreated(t, h, got, asked.Name, string(asked.GroupID), asked.Scopes, asked.Days)
	})
}

func checkCreated(t *testing.T, h *host, got answer, name, group string, scopes []string, days *json.Number) {
	t.Helper()
	var made struct {
		ID, UserID, Name, Token string
		GroupID                 json.RawMessage `json:"groupId"`
		Scopes                  []string
		CreatedAt               time.Time
		ExpiresAt               *time.Time
		RevokedAt               *time.Time
	}
	require.NoError(t, json.Unmarshal([]byte(got.body), &made))
	if made.UserID != "alice" || made.Name != strings.TrimSpace(name) || made.RevokedAt != nil {
		t.Fatalf("made %s", got.body)
	}
	if !httpadapter.IsSpecifiedGroup(group) || string(made.GroupID) != group || group != "1" && group != "2" {
		t.Fatalf("group %s for %s", made.GroupID, group)
	}
	for _, scope := range made.Scopes {
		if scope != "public_scope" && scope != "full_scope" || scope == "full_scope" && !strings.Contains(strings.Join(scopes, " "), scope) {
			t.Fatalf("scopes %v for %v", made.Scopes, scopes)
		}
	}
	lifetime := pat.DefaultLifetime
	if days != nil {
		n, err := days.Int64()
		require.NoError(t, err)
		lifetime = time.Duration(n) * 24 * time.Hour
	}
	if len(made.Scopes) == 0 || made.ExpiresAt == nil || made.ExpiresAt.Sub(made.CreatedAt) != lifetime || lifetime <= 0 {
		t.Fatalf("made %s", got.body)
	}
	tok, err := h.verifier.Verify(t.Context(), made.Token)
	if err != nil || tok.ID != made.ID {
		t.Fatalf("the value given out: %v", err)
	}
}

// FuzzRevoke sends any credential and any id.
func FuzzRevoke(f *testing.F) {
	for _, id := range []string{
		publicID, fullID, expiredID, revokedID, foreignID, unknownID, strings.ToUpper(publicID), "{" + publicID + "}", "urn:uuid:" + publicID,
		strings.ReplaceAll(publicID, "-", ""), "x", "verify", "..", "%30" + publicID[1:], publicID + "/", publicID + "%2f", publicID + "?x",
	} {
		f.Add("Bearer "+alice, id)
		f.Add("Bearer "+bob, id)
	}
	f.Add("Bearer "+fullValue, fullID)
	f.Fuzz(func(t *testing.T, authorization, id string) {
		u, err := url.ParseRequestURI(base + "/pats/" + id)
		if err != nil {
			return // no such request reaches a handler
		}
		h := newFuzzedHost(t)
		before := h.tokens()
		r := httptest.NewRequest(http.MethodDelete, base, http.NoBody)
		r.URL = u
		r.Header["Authorization"] = []string{authorization}
		got := serve(t, h.handler, r)
		checkFixed(t, got, 204, 400, 401, 403, 404, 405)
		after := h.tokens()
		require.Len(t, after, len(before))
		named := strings.ToLower(strings.TrimPrefix(u.Path, base+"/pats/"))
		for id, tok := range after {
			if id != named || got.status != http.StatusNoContent {
				require.Equal(t, before[id], tok, "status %d changes another token", got.status)
			}
		}
		if got.status != http.StatusNoContent {
			if named == publicID && u.RawPath == "" && authorization == "Bearer "+alice {
				t.Fatalf("status %d for a token that is there", got.status)
			}
			return
		}
		tok, there := after[named]
		if !there || !tok.Revoked() || tok.GroupID == "3" || credentialOf(authorization) != alice || got.body != "" {
			t.Fatalf("%q revoked %q, a token %v of group %s", authorization, named, there, tok.GroupID)
		}
	})
}

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTokenRoutesAndTheHostsOwnRoutesLiveOnOneMux(t *testing.T) {
	handler, err := newHandler()
	require.NoError(t, err)

	call := func(t *testing.T, method, path, credential, body string) *httptest.ResponseRecorder {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		if credential != "" {
			r.Header.Set("Authorization", "Bearer "+credential)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	newToken := func(scope string) string {
		w := call(t, "POST", "/settings/pats", "alice-session", `{"name":"ci","groupId":1,"scopes":["`+scope+`"]}`)
		require.Equal(t, http.StatusCreated, w.Code, w.Body)
		var created struct{ Token string }
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &created))
		return created.Token
	}
	reader, writer := newToken(scopeRead), newToken(scopeWrite)

	tests := []struct {
		name               string
		method, path       string
		credential         string
		body               string
		wantCode           int
		wantInTheAnswer    string
		wantNotInTheAnswer string
	}{
		{name: "the home page needs no token", method: "GET", path: "/", wantCode: 200, wantInTheAnswer: "welcome"},
		{name: "a host's route refuses a request without a token", method: "GET", path: "/reports", wantCode: 401},
		{name: "a host's route refuses the session, which is no token", method: "GET", path: "/reports",
			credential: "alice-session", wantCode: 401},
		{name: "a reader may read", method: "GET", path: "/reports", credential: reader,
			wantCode: 200, wantInTheAnswer: `"userId":"alice"`},
		{name: "a reader may not write", method: "POST", path: "/reports", credential: reader,
			wantCode: 403, wantInTheAnswer: "insufficient_scope"},
		{name: "a writer may write", method: "POST", path: "/reports", credential: writer, wantCode: 201},
		{name: "writing implies reading", method: "GET", path: "/reports", credential: writer, wantCode: 200},
		{name: "the token routes answer under the prefix", method: "GET", path: "/settings/pats?groupId=1",
			credential: "alice-session", wantCode: 200, wantInTheAnswer: `"tokenPrefix":`, wantNotInTheAnswer: `"token":`},
		{name: "verify answers under the prefix", method: "POST", path: "/settings/pats/verify",
			body: `{"token":"` + reader + `"}`, wantCode: 200, wantInTheAnswer: `"effectiveScope":"reports:read"`},
		{name: "the token routes don't answer without the prefix", method: "GET", path: "/pats?groupId=1",
			credential: "alice-session", wantCode: 404},
		{name: "a group that is not there", method: "GET", path: "/settings/pats?groupId=7",
			credential: "alice-session", wantCode: 404, wantInTheAnswer: "not_found"},
		{name: "the description names the prefix as its server", method: "GET", path: "/settings/openapi.json",
			wantCode: 200, wantInTheAnswer: `"/settings"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := call(t, test.method, test.path, test.credential, test.body)
			assert.Equal(t, test.wantCode, w.Code, w.Body)
			assert.Contains(t, w.Body.String(), test.wantInTheAnswer)
			if test.wantNotInTheAnswer != "" {
				assert.NotContains(t, w.Body.String(), test.wantNotInTheAnswer)
			}
		})
	}
}

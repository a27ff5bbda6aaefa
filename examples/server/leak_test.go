package main

import (
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/internal/leak"
)

// requestsWith are requests of every kind that hold a value where a client may put it, rightly or not.
func requestsWith(value, id string) map[string]func(r *http.Request) {
	body := func(method, path, text string) func(*http.Request) {
		return func(r *http.Request) {
			r.Method, r.URL.Path = method, r.URL.Path+path
			r.Body = io.NopCloser(strings.NewReader(text))
		}
	}
	header := func(method, path, name, text string) func(*http.Request) {
		return func(r *http.Request) {
			r.Method, r.URL.Path = method, r.URL.Path+path
			r.Header.Set(name, text)
		}
	}
	query := func(method, path, name string) func(*http.Request) {
		return func(r *http.Request) {
			r.Method, r.URL.Path = method, r.URL.Path+path
			r.URL.RawQuery = url.Values{name: {value}}.Encode()
		}
	}
	return map[string]func(*http.Request){
		"verify by body":          body("POST", "/pats/verify", `{"token":"`+value+`"}`),
		"verify by header":        header("POST", "/pats/verify", "Authorization", "Bearer "+value),
		"verify by query":         query("POST", "/pats/verify", "token"),
		"verify by path":          header("POST", "/pats/verify/"+value, "X-Token", value),
		"broken JSON":             body("POST", "/pats/verify", `{"token":"`+value),
		"a duplicate name":        body("POST", "/pats/verify", `{"token":"`+value+`","token":"`+value+`"}`),
		"a name of a field":       body("POST", "/pats/verify", `{"`+value+`":1,"`+value+`":2}`),
		"trailing data":           body("POST", "/pats/verify", `{}`+value),
		"the body alone":          body("POST", "/pats/verify", value),
		"a typo":                  body("POST", "/pats/verify", `{"token":"`+value[:54]+`!"}`),
		"a wrong secret":          body("POST", "/pats/verify", `{"token":"`+value[:48]+`"}`),
		"list by a token":         header("GET", "/pats", "Authorization", "Bearer "+value),
		"list of a group":         query("GET", "/pats", "groupId"),
		"list with a cursor":      func(r *http.Request) { r.URL.Path += "/pats"; r.URL.RawQuery = "groupId=1&cursor=" + value },
		"list with a broken path": query("GET", "/pats/%zz", "token"),
		"create with its name":    body("POST", "/pats", `{"groupId":1,"name":"\u202e`+value+`"}`),
		"create with a scope":     body("POST", "/pats", `{"groupId":1,"name":"x","scopes":["`+value+`"]}`),
		"create with a group":     body("POST", "/pats", `{"groupId":"`+value+`","name":"x"}`),
		"create with a lifetime":  body("POST", "/pats", `{"groupId":1,"name":"x","expiresInDays":"`+value+`"}`),
		"delete by value":         header("DELETE", "/pats/"+value, "X-Token", value),
		"delete with a query":     query("DELETE", "/pats/"+id+"0", "token"),
		"another method":          query("PATCH", "/pats", "token"),
		"another path":            query("GET", "/"+value, "token"),
		"profile by header":       header("GET", "/profile", "Authorization", "Bearer "+value),
		"profile by query":        query("GET", "/profile", "access_token"),
		"profile by another name": header("GET", "/profile/"+value, "X-Api-Key", value),
		"profile, two in one":     header("GET", "/profile", "Authorization", "Bearer "+value+", "+value),
		"profile, basic":          header("GET", "/profile", "Authorization", "Basic "+value),
		"a cookie":                header("GET", "/profile", "Cookie", "token="+value),
		"a referrer":              header("GET", "/profile", "Referer", "http://host/?token="+value),
		"a method of its own":     header(strings.ReplaceAll(value, "_", "-"), "/pats", "X-Token", value),
	}
}

func TestNeitherTheLogNorAnAnswerHoldsAPartOfASecret(t *testing.T) {
	p := start(t, filepath.Join(t.TempDir(), "pat.db"))
	var token, revoked created
	post(t, p.base+"/pats", "alice-session", `{"name":"test","groupId":1}`, &token)
	post(t, p.base+"/pats", "alice-session", `{"name":"test","groupId":2}`, &revoked)
	sent, answers := 0, new(strings.Builder)
	send := func(change func(*http.Request)) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.base, http.NoBody)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer alice-session")
		change(r)
		w, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer func() { _ = w.Body.Close() }()
		require.NoError(t, w.Header.Write(answers))
		_, err = io.Copy(answers, w.Body)
		require.NoError(t, err)
		sent++
	}
	for _, c := range []created{token, revoked} {
		for _, change := range requestsWith(c.Token, c.ID) {
			send(change)
		}
		send(func(r *http.Request) { r.Method, r.URL.Path = "DELETE", r.URL.Path+"/pats/"+c.ID })
		for _, change := range requestsWith(c.Token, c.ID) { // and all once more, now that it is revoked
			send(change)
		}
	}
	log := p.stop(t, syscall.SIGTERM) + p.stderr.String()
	require.Contains(t, log, token.ID, "the log tells of the token")
	require.Contains(t, answers.String(), "token_revoked", "the answers tell of it too")
	for _, c := range []created{token, revoked} {
		_, secret, _ := strings.Cut(c.Token, "-")
		assert.Empty(t, leak.Find(log, secret), "in the log")
		assert.Empty(t, leak.Find(answers.String(), secret), "in an answer")
	}
	t.Logf("%d requests, %d bytes of answers, %d bytes of log", sent, answers.Len(), len(log))
}

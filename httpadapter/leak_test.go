package httpadapter_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
	"github.com/patkit/pat/internal/leak"
	"github.com/patkit/pat/storetest"
)

// carriers put a value into a request, wherever a client may, rightly or not.
func carriers(value string) map[string]func(r *http.Request) {
	setBody := func(text string) func(*http.Request) {
		return func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(text)) }
	}
	return map[string]func(r *http.Request){
		"the Authorization header": func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+value) },
		"two of them":              func(r *http.Request) { r.Header["Authorization"] = []string{"Bearer " + value, "Bearer " + alice} },
		"another scheme":           func(r *http.Request) { r.Header.Set("Authorization", value+" "+value) },
		"something behind it":      func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+value+`", realm="x`) },
		"other headers": func(r *http.Request) {
			r.Header = http.Header{"Authorization": {"Bearer " + alice}, "X-Api-Key": {value}, "Cookie": {"t=" + value}, value: {value},
				"Content-Type": {value}, "Origin": {"https://" + value}, "Referer": {"https://host/" + value}}
		},
		"the query":             func(r *http.Request) { r.URL.RawQuery = "groupId=1&token=" + value },
		"known parameters":      func(r *http.Request) { r.URL.RawQuery = "groupId=1&cursor=" + value + "&limit=" + value },
		"the group":             func(r *http.Request) { r.URL.RawQuery = "groupId=" + value },
		"a broken query":        func(r *http.Request) { r.URL.RawQuery = value + "%zz;" },
		"the path":              func(r *http.Request) { r.URL.Path += "/" + value },
		"an encoded path":       func(r *http.Request) { r.URL.Path += "/a/" + value; r.URL.RawPath = r.URL.Path + "%2F" },
		"the host":              func(r *http.Request) { r.Host = value },
		"the method":            func(r *http.Request) { r.Method = value },
		"the fragment":          func(r *http.Request) { r.URL = &url.URL{Path: r.URL.Path, Fragment: value} },
		"the token of a body":   setBody(`{"token":"` + value + `"}`),
		"a token of other kind": setBody(`{"token":["` + value + `"]}`),
		"broken JSON":           setBody(`{"token":"` + value),
		"a name given twice":    setBody(`{"` + value + `":1,"` + value + `":1}`),
		"trailing data":         setBody(`{}` + value),
		"a body of text":        setBody(value),
		"a name to create":      setBody(`{"groupId":1,"name":"\u202e` + value + `"}`),
		"scopes to create":      setBody(`{"groupId":1,"name":"n","scopes":["` + value + `"]}`),
		"a group to create in":  setBody(`{"groupId":"` + value + `"}`),
		"a lifetime":            setBody(`{"groupId":1,"name":"n","expiresInDays":"` + value + `"}`),
		"a panicking group":     setBody(`{"groupId":` + panickingGroup + `,"name":"` + value + `"}`),
		"a body that breaks": func(r *http.Request) {
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"token":"`+value), brokenReader{}))
		},
	}
}

func TestNoErrorAnswerHoldsAPartOfASecret(t *testing.T) {
	var events []pat.Event
	h := newHost(t, func(s *settings) {
		s.pat.OnEvent = func(_ context.Context, e pat.Event) { events = append(events, e) }
	})
	tok, value := h.issue(pat.CreateParams{})
	guarded := httpadapter.RequireToken(h.verifier, httpadapter.RequireScope(pat.ScopeFull), httpadapter.OnError(h.report))(h.handler)
	failures, statuses := 0, make(map[int]int)
	search := func(where, text string) { require.Empty(t, leak.Find(text, secretOf(t, value)), where) }
	states := []struct {
		name   string
		arrive func()
	}{
		{"with all well", func() {}},
		{"with the token revoked", func() { _, err := h.issuer.Revoke(t.Context(), tok.ID); require.NoError(t, err) }},
		{"with the store down", func() { h.store.Inject(storetest.EveryCall, storetest.Fail(errFault)) }},
		{"with a store that panics", func() { h.store.Inject(storetest.EveryCall, storetest.Panic(value)) }},
	}
	for _, state := range states {
		state.arrive()
		for _, route := range [][2]string{
			{"GET", "/pats"}, {"POST", "/pats"}, {"DELETE", "/pats/" + tok.ID}, {"POST", "/pats/verify"}, {"PUT", "/pats"}, {"GET", "/nothing"},
		} {
			for place, carry := range carriers(value) {
				for guard, handler := range map[string]http.Handler{"the handler": h.handler, "RequireToken before it": guarded} {
					r := httptest.NewRequest(route[0], base+route[1], http.NoBody)
					r.Header = bearer(alice)
					carry(r)
					w := httptest.NewRecorder()
					handler.ServeHTTP(w, r)
					if w.Code < 400 {
						continue
					}
					failures++
					statuses[w.Code]++
					where := fmt.Sprintf("%s %s, %s, %s, value in %s", route[0], route[1], guard, state.name, place)
					search(where, fmt.Sprint(w.Header(), w.Body))
				}
			}
		}
	}
	for _, err := range h.reports {
		search("OnError", fmt.Sprintf("%v %+v %#v", err, err, err))
	}
	for _, e := range events {
		search("OnEvent", fmt.Sprintf("%+v %#v", e, e))
	}
	for _, status := range []int{400, 401, 404, 405, 500} {
		assert.Positive(t, statuses[status], status)
	}
	assert.NotEmpty(t, h.reports)
	t.Logf("%d error answers %v, %d reports, %d events", failures, statuses, len(h.reports), len(events))
}

func TestWhatHoldsAVerifierPrintsNoKey(t *testing.T) {
	key := "Kq7WmZ2xRt9LcVb4YnHs6TgPd1FjEu8A"
	h := newHost(t, func(s *settings) { s.pat.PepperKeys = []pat.PepperKey{{ID: "k1", Key: pat.NewSecret(key)}} })
	h.issue(pat.CreateParams{})
	cfg := httpadapter.Config{Issuer: h.issuer, Verifier: h.verifier}
	for _, v := range []any{cfg, &cfg, h.handler, h.issuer, h.verifier, struct{ cfg httpadapter.Config }{cfg}, []any{h.handler}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%p", "%w"} {
			text := fmt.Sprintf(verb, v)
			for _, part := range []string{key[:16], fmt.Sprintf("%x", key[:16]), strings.Trim(fmt.Sprint([]byte(key[:16])), "[]")} {
				assert.NotContains(t, text, part, "%T under %s", v, verb)
			}
		}
	}
}

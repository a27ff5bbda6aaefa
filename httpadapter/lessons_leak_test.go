package httpadapter_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/leak"
	"github.com/patkit/pat/storetest"
)

// CVE-2024-8365, Vault: tokens came to stand in the audit log in the clear, when the step that had hashed them there
// was lost. Here nothing has to be taken out: what the hooks are told has no place for a token.
func TestCVE_2024_8365_NoTokenComesIntoTheLog(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	h := newHost(t, func(s *settings) {
		s.pat.OnEvent = func(ctx context.Context, event pat.Event) {
			logger.InfoContext(ctx, "audit", "event", event, "reason", event.Reason)
		}
		s.adapter.OnError = func(r *http.Request, err error) {
			logger.ErrorContext(r.Context(), "fault", "path", r.URL.Path, "error", err)
		}
	})
	created := h.create(alice, `{"name":"ci","groupId":1}`).object(t)
	value := created["token"].(string)
	wrong := wrongSecret(created["tokenPrefix"].(string))
	ask := func() {
		for _, presented := range []string{value, wrong, value + "x", value[:54], "Bearer " + value} {
			h.verify(nil, `{"token":"`+presented+`"}`)
			h.verify(bearer(presented), "")
			h.list(presented, "groupId=1")
			guard(h.verifier).ask(t, http.MethodGet, "/", bearer(presented))
		}
	}
	ask()
	h.store.Inject(storetest.EveryCall, storetest.Fail(errFault))
	ask()
	h.store.Heal()
	require.Equal(t, http.StatusNoContent, h.delete(alice, created["id"].(string)).status)
	ask()

	for _, written := range []string{`"created"`, `"verified"`, `"denied"`, `"revoked"`, `"fault"`, "wrong secret", created["id"].(string)} {
		assert.Contains(t, log.String(), written, "the log was written")
	}
	assertWithout(t, log.String(), secretOf(t, value), secretOf(t, wrong))
}

// assertWithout asserts that a text holds no part of a secret.
func assertWithout(t *testing.T, text string, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		assert.Empty(t, leak.Find(text, secret))
	}
}

// secretOf is what a value has behind its prefix.
func secretOf(t *testing.T, value string) string {
	t.Helper()
	_, secret, ok := strings.Cut(value, "-")
	require.True(t, ok)
	return secret
}

// CVE-2025-55190, Argo CD: an answer with the details of a project held the credentials that it uses, for anybody who
// could see the project.
func TestCVE_2025_55190_NoAnswerButThatToCreateHoldsASecret(t *testing.T) {
	const key = "zebra-zebra-zebra-zebra-zebra-32"
	h := newHost(t, func(s *settings) { s.pat.PepperKeys = []pat.PepperKey{{ID: "k1", Key: pat.NewSecret(key)}} })
	created := h.create(alice, `{"name":"ci","groupId":1}`).object(t)
	value, id := created["token"].(string), created["id"].(string)
	_, second := h.issue(pat.CreateParams{Lifetime: time.Hour})
	rec, err := h.store.FindByPrefix(t.Context(), created["tokenPrefix"].(string))
	require.NoError(t, err)
	sum := rec.Digest.Encoded()[len("hmac-sha256$k1$"):]

	const all = "includeRevoked=true&groupId=1"
	verify := func(value string) answer { return h.verify(nil, `{"token":"`+value+`"}`) }
	for _, c := range []struct {
		sentence string
		got      answer
	}{
		{"a list", h.list(alice, "groupId=1")},
		{"a page", h.list(alice, all+"&limit=1")},
		{"verify", verify(value)},
		{"verify of a wrong one", verify(wrongSecret(rec.Token.Prefix))},
		{"a bad request", h.create(alice, `{"name":"`+value+`\u0000","groupId":1}`)},
		{"a path that is not there", h.do(http.MethodGet, base+"/pats/"+id+"/secret", bearer(alice), "")},
		{"a method that is not", h.do(http.MethodGet, base+"/pats/"+id, bearer(alice), "")},
		{"delete", h.delete(alice, id)},
		{"verify of a revoked one", verify(value)},
		{"a list with a revoked one", h.list(alice, all)},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			var whole bytes.Buffer
			require.NoError(t, c.got.header.Write(&whole))
			whole.WriteString(c.got.body)
			assertWithout(t, whole.String(), secretOf(t, value), secretOf(t, second), sum, key)
		})
	}
	assert.Contains(t, h.list(alice, all).body, id, "the answers are about that token")
}

package httpadapter_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
	"github.com/patkit/pat/storetest"
)

const unknownID = "01234567-89ab-7def-8123-456789abcdef"

func TestDeleteRevokesTheTokenAndCanBeRepeated(t *testing.T) {
	h := newHost(t)
	tok, value := h.issue(pat.CreateParams{})
	for range 2 {
		got := h.delete(alice, tok.ID)
		assert.Equal(t, http.StatusNoContent, got.status)
		assert.Empty(t, got.body)
		assert.Empty(t, got.header.Values("Content-Type"))
		h.clock.Add(time.Hour)
	}
	assert.Equal(t, start, h.stored(tok.ID).RevokedAt, "the first revocation's time stays")
	assert.Equal(t, "token_revoked", h.verify(nil, `{"token":"`+value+`"}`).code())
	assert.Equal(t, "[]", h.list(alice, "groupId=1").body)
}

// A writer that compresses takes even an empty write for content, which a 204 must not have (RFC 9110, section 15.3.5).
func TestTheAnswerToADeleteWritesNoBodyNotEvenAnEmptyOne(t *testing.T) {
	h := newHost(t)
	tok, _ := h.issue(pat.CreateParams{})
	r := httptest.NewRequest(http.MethodDelete, base+"/pats/"+tok.ID, http.NoBody)
	r.Header = bearer(alice)
	w := &writeCounter{ResponseWriter: httptest.NewRecorder()}
	h.handler.ServeHTTP(w, r)
	assert.True(t, h.stored(tok.ID).Revoked())
	assert.Zero(t, w.writes)
}

type writeCounter struct {
	http.ResponseWriter
	writes int
}

func (w *writeCounter) Write(b []byte) (int, error) {
	w.writes++
	return w.ResponseWriter.Write(b)
}

func TestDeleteRevokesAnExpiredToken(t *testing.T) {
	h := newHost(t)
	tok, _ := h.issue(pat.CreateParams{Lifetime: time.Hour})
	h.clock.Add(2 * time.Hour)
	assert.Equal(t, http.StatusNoContent, h.delete(alice, tok.ID).status)
	assert.True(t, h.stored(tok.ID).Revoked())
}

func TestDeleteTakesAnIDInUpperCaseAndIgnoresABody(t *testing.T) {
	h := newHost(t)
	tok, _ := h.issue(pat.CreateParams{})
	got := h.do(http.MethodDelete, base+"/pats/"+strings.ToUpper(tok.ID)+"?groupId=zebra", bearer(alice), "{not JSON")
	assert.Equal(t, http.StatusNoContent, got.status)
	assert.True(t, h.stored(tok.ID).Revoked())
}

func TestDeleteRefusesAMalformedID(t *testing.T) {
	h := newHost(t)
	for _, id := range []string{
		"zebra", "1", "VERIFY", "verify%00", "0123456789ab7def8123456789abcdef", "%7B" + unknownID + "%7D",
		"urn:uuid:" + unknownID, unknownID + "0", unknownID[1:], "g" + unknownID[1:], unknownID + "%20", "%20" + unknownID,
		strings.Repeat("0", 36), strings.Repeat("-", 36), "pat_zebra", "...", "%00", "%FF",
	} {
		t.Run(id, func(t *testing.T) { assertBadRequest(t, h.delete(alice, id)) })
	}
}

func TestACallerWhoMaySeeATokenButNotRevokeItIsForbidden(t *testing.T) {
	h := newHost(t)
	tok, _ := h.issue(pat.CreateParams{GroupID: "2"})
	got := h.delete(bob, tok.ID)
	assert.Equal(t, http.StatusForbidden, got.status)
	assert.Equal(t, "forbidden", got.code())
	assert.False(t, h.stored(tok.ID).Revoked())
	require.Len(t, h.asked, 2)
	for i, action := range []httpadapter.Action{httpadapter.ActionRevoke, httpadapter.ActionList} {
		assert.Equal(t, httpadapter.Caller{UserID: "bob", Value: bob}, h.asked[i].caller)
		assert.Equal(t, action, h.asked[i].action)
		assert.Equal(t, httpadapter.Target{GroupID: "2", Token: &tok}, h.asked[i].target)
	}
}

func TestAFaultOfAuthorizeOnADeleteRevokesNothing(t *testing.T) {
	h := newHost(t)
	for _, group := range []string{faultyGroup, panickingGroup} {
		tok, _ := h.issue(pat.CreateParams{GroupID: group})
		assert.Equal(t, http.StatusInternalServerError, h.delete(alice, tok.ID).status)
		assert.False(t, h.stored(tok.ID).Revoked())
	}
}

func TestATokenPurgedWhileItIsRevokedIsNotFound(t *testing.T) {
	h := newHost(t)
	tok, _ := h.issue(pat.CreateParams{})
	want := h.delete(alice, unknownID)
	h.store.Inject(2, storetest.Fail(pat.ErrNotFound)) // the token is read, and then revoked
	assert.Equal(t, want, h.delete(alice, tok.ID))
}

func TestTheHostCanNotChangeATokenThroughTheTarget(t *testing.T) {
	var h *host
	h = newHost(t, func(s *settings) {
		s.adapter.Authorize = func(_ context.Context, _ httpadapter.Caller, action httpadapter.Action, target httpadapter.Target) error {
			if action == httpadapter.ActionRevoke {
				target.Token.GroupID = "changed"
				return httpadapter.ErrForbidden
			}
			assert.Equal(h.t, "1", target.Token.GroupID)
			return nil
		}
	})
	tok, _ := h.issue(pat.CreateParams{})
	r := httptest.NewRequest(http.MethodDelete, base+"/pats/"+tok.ID, http.NoBody)
	r.Header = bearer(alice)
	assert.Equal(t, http.StatusForbidden, serve(t, h.handler, r).status)
}

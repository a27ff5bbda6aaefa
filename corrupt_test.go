package pat_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/storetest"
)

const foreignID = "0199c0de-0000-7000-8000-00000000f0e1"

// What a host decides by, or Rotate copies, must be of the token that was asked for.
func TestAnotherTokenThanTheOneAskedForIsCorrupt(t *testing.T) {
	h := newHouse(t, importing(pat.Config{}))
	params := importParams(t)
	params.ID = "0199c0de-0000-7000-8000-000000000001" // so that it can be imported again
	for sentence, change := range map[string]func(*pat.Record){
		"a zero record":   func(r *pat.Record) { *r = pat.Record{} },
		"another id":      func(r *pat.Record) { r.Token.ID = foreignID },
		"no user":         func(r *pat.Record) { r.Token.UserID = "" },
		"no group":        func(r *pat.Record) { r.Token.GroupID = "" },
		"an id cut short": func(r *pat.Record) { r.Token.ID = r.Token.ID[:35] },
	} {
		tok, _ := h.create(t)
		next, err := h.Rotate(t.Context(), tok.ID, pat.RotateParams{})
		require.NoError(t, err)
		id := next.Token.ID
		for name, c := range map[string]struct {
			n    int
			call func() error
		}{
			"Get":                             {1, func() error { _, err := h.Get(t.Context(), id); return err }},
			"Rotate, of the token":            {1, func() error { _, err := h.Rotate(t.Context(), id, pat.RotateParams{}); return err }},
			"Rotate, of the one before":       {2, func() error { _, err := h.Rotate(t.Context(), id, pat.RotateParams{}); return err }},
			"Revoke":                          {1, func() error { _, err := h.Revoke(t.Context(), tok.ID); return err }},
			"Import, which reads what it had": {2, func() error { _, err := h.Import(t.Context(), params); return err }},
		} {
			h.faults.Inject(c.n, storetest.Corrupt(change))
			assert.ErrorIs(t, c.call(), pat.ErrCorrupt, "%s: %s", name, sentence)
		}
		h.faults.Heal()
		stored, err := h.Get(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, next.Token, stored, "nothing was rotated")
	}
}

func TestATokenOfAnotherOwnerThanTheOneAskedForIsCorrupt(t *testing.T) {
	for sentence, change := range map[string]func(*pat.Record){
		"a zero record":   func(r *pat.Record) { *r = pat.Record{} },
		"of another user": func(r *pat.Record) { r.Token.UserID = "mallory" },
		"of no group":     func(r *pat.Record) { r.Token.GroupID = "" },
		"with no id":      func(r *pat.Record) { r.Token.ID = "" },
	} {
		events := &recorder{}
		h := newHouse(t, pat.Config{OnEvent: events.OnEvent})
		h.create(t)
		h.faults.Inject(1, storetest.Corrupt(change))
		page, err := h.List(t.Context(), pat.ListParams{UserID: "alice"})
		require.ErrorIs(t, err, pat.ErrCorrupt, sentence)
		assert.Zero(t, page)

		events.take()
		h.faults.Inject(1, storetest.Corrupt(change))
		n, err := h.RevokeAll(t.Context(), pat.Owner{UserID: "alice"})
		require.ErrorIs(t, err, pat.ErrCorrupt, sentence)
		assert.Zero(t, n)
		assert.Empty(t, events.take(), "nobody is told of a revocation that did not take place")
	}
}

func TestARevocationThatDidNotTakePlaceIsAnError(t *testing.T) {
	h := newHouse(t, pat.Config{})
	tok, _ := h.create(t)
	revive := storetest.Corrupt(func(r *pat.Record) { r.Token.RevokedAt = time.Time{} })
	h.faults.Inject(1, revive)
	_, err := h.Revoke(t.Context(), tok.ID)
	require.ErrorIs(t, err, pat.ErrCorrupt)
	h.create(t)
	h.faults.Inject(1, revive)
	_, err = h.RevokeAll(t.Context(), pat.Owner{UserID: "alice"})
	require.ErrorIs(t, err, pat.ErrCorrupt)
}

// The place behind the last token of a page is told by its id, which has to be one.
func TestAListDoesNotGoOnBehindATokenWithoutAUUID(t *testing.T) {
	h := newHouse(t, pat.Config{})
	h.create(t)
	h.create(t)
	h.faults.Inject(1, storetest.Corrupt(func(r *pat.Record) { r.Token.ID = strings.Repeat("x", len(r.Token.ID)) }))
	page, err := h.List(t.Context(), pat.ListParams{UserID: "alice", Limit: 1})
	require.ErrorIs(t, err, pat.ErrCorrupt)
	assert.Zero(t, page)
}

func TestAVerificationThatGetsAnotherRecordIsCorrupt(t *testing.T) {
	h := newHouse(t, pat.Config{})
	_, value := h.create(t)
	other, _ := h.create(t)
	h.faults.Inject(1, storetest.Corrupt(func(r *pat.Record) { r.Token.Prefix = other.Prefix }))
	tok, err := h.Verify(t.Context(), value)
	require.ErrorIs(t, err, pat.ErrCorrupt)
	require.NotErrorIs(t, err, pat.ErrInvalidToken)
	assert.Zero(t, tok)
}

package pat_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/storetest"
)

func TestACancelledContextGivesItsErrorAndChangesNothing(t *testing.T) {
	h := newHouse(t, importing(pat.Config{}))
	tok, value := h.create(t)
	before, err := h.Get(t.Context(), tok.ID)
	require.NoError(t, err)
	lookupsBefore, writesBefore := h.counts()
	ctx := cancelled()
	for name, call := range map[string]func() error{
		"Create": func() error {
			_, err := h.Create(ctx, pat.CreateParams{UserID: "a", GroupID: "1", Name: "n"})
			return err
		},
		"Get":       func() error { _, err := h.Get(ctx, tok.ID); return err },
		"List":      func() error { _, err := h.List(ctx, pat.ListParams{GroupID: "1"}); return err },
		"Rotate":    func() error { _, err := h.Rotate(ctx, tok.ID, pat.RotateParams{}); return err },
		"Revoke":    func() error { _, err := h.Revoke(ctx, tok.ID); return err },
		"RevokeAll": func() error { _, err := h.RevokeAll(ctx, pat.Owner{UserID: "alice"}); return err },
		"Purge":     func() error { _, err := h.Purge(ctx, h.clock.Now()); return err },
		"Import":    func() error { _, err := h.Import(ctx, importParams(t)); return err },
		"Verify":    func() error { _, err := h.Verify(ctx, value); return err },
	} {
		err := call()
		require.ErrorIs(t, err, context.Canceled, name)
		require.NotErrorIs(t, err, pat.ErrInvalidToken, name)
	}
	lookups, writes := h.counts()
	assert.Equal(t, lookupsBefore, lookups)
	assert.Equal(t, writesBefore, writes)
	after, err := h.Get(t.Context(), tok.ID)
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

func TestAVerificationWhoseTimeIsUpIsAFaultAndIsReportedAsOne(t *testing.T) {
	events := &recorder{}
	h := newHouse(t, pat.Config{OnEvent: events.OnEvent})
	_, value := h.create(t)
	events.take()
	_, err := h.Verify(cancelled(), value)
	require.EqualError(t, err, "pat: verify: context canceled")
	reported := events.take()
	require.Len(t, reported, 1)
	assert.Equal(t, pat.EventDenied, reported[0].Type)
	assert.Equal(t, err, reported[0].Reason)
}

func TestAFailingStoreIsAFaultEverywhere(t *testing.T) {
	h := newHouse(t, importing(pat.Config{}))
	tok, value := h.create(t)
	for _, failure := range []error{errDown, pat.ErrCorrupt, fmt.Errorf("broken: %w", pat.ErrRevoked)} {
		h.faults.Inject(storetest.EveryCall, storetest.Fail(failure))
		for name, call := range map[string]func() error{
			"Create": func() error {
				_, err := h.Create(t.Context(), pat.CreateParams{UserID: "a", GroupID: "1", Name: "n"})
				return err
			},
			"Get":       func() error { _, err := h.Get(t.Context(), tok.ID); return err },
			"List":      func() error { _, err := h.List(t.Context(), pat.ListParams{GroupID: "1"}); return err },
			"Rotate":    func() error { _, err := h.Rotate(t.Context(), tok.ID, pat.RotateParams{}); return err },
			"Revoke":    func() error { _, err := h.Revoke(t.Context(), tok.ID); return err },
			"RevokeAll": func() error { _, err := h.RevokeAll(t.Context(), pat.Owner{UserID: "alice"}); return err },
			"Purge":     func() error { _, err := h.Purge(t.Context(), h.clock.Now()); return err },
			"Import":    func() error { _, err := h.Import(t.Context(), importParams(t)); return err },
		} {
			err := call()
			require.ErrorIs(t, err, failure, name)
			require.NotErrorIs(t, err, pat.ErrNotFound, name)
		}
		got, err := h.Verify(t.Context(), value)
		require.Error(t, err)
		require.NotErrorIs(t, err, pat.ErrInvalidToken, "a fault never looks like a refusal, whatever the store says")
		assert.Equal(t, pat.Token{}, got)
	}
	h.faults.Heal()
	_, err := h.Verify(t.Context(), value)
	require.NoError(t, err, "after the fault all is as before")
}

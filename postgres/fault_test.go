package postgres

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

// The caller who gave up has to know both: that it was the caller, and that the write may have been done.
func TestAnUnknownOutcomeIsNotHiddenByAContextThatEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	unknown := fmt.Errorf("%w: %w", pat.ErrOutcomeUnknown, errCut)
	err := failed(ctx, "revoke", unknown)
	require.ErrorIs(t, err, pat.ErrOutcomeUnknown)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, errCut)
	assert.NotErrorIs(t, failed(t.Context(), "revoke", unknown), context.Canceled, "of a context that goes on")
	assert.Equal(t, context.Canceled, failed(ctx, "revoke", errCut), "what is known not to be done")
}

func TestAStatementWhoseResultTheSchemaHasChangedIsPreparedAnew(t *testing.T) {
	s, _ := cutStore(t)
	rec := s.add(t, 1)[0]
	find := func() {
		t.Helper()
		found, err := s.FindByPrefix(t.Context(), rec.Token.Prefix)
		require.NoError(t, err)
		assert.Equal(t, rec, found)
	}
	find()
	s.sql(t, "ALTER TABLE pat_tokens ALTER COLUMN last_used_at TYPE timestamptz(3)")
	find()
}

package sqlite

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

func TestListRefusesAPositionThatNoTokenHas(t *testing.T) {
	s, rec := testStore(t, ":memory:"), testRecord(t)
	require.NoError(t, s.Insert(t.Context(), rec, 0))
	query := pat.ListQuery{Owner: pat.Owner{UserID: rec.Token.UserID}, Limit: 10}
	query.After = pat.Position{CreatedAt: created, ID: "x"}
	_, err := s.List(t.Context(), query)
	assert.ErrorIs(t, err, pat.ErrInvalidArgument)
}

func TestNobodyHasNoTokens(t *testing.T) {
	s := testStore(t, ":memory:")
	require.NoError(t, s.Insert(t.Context(), testRecord(t), 0))
	tokens, err := s.List(t.Context(), pat.ListQuery{Limit: 10})
	require.NoError(t, err)
	assert.Empty(t, tokens)
}

// What can't be read is passed over only if that is for what the row holds.
func TestRowsThatCannotBeReadAreAnErrorAndAreClosed(t *testing.T) {
	c := sessions(testStore(t, ":memory:"))[0]
	rows, err := c.conn.QueryContext(t.Context(), "SELECT 'one column' UNION ALL SELECT 'another row'")
	require.NoError(t, err)
	read, err := c.tokens(rows)
	require.ErrorContains(t, err, "destination arguments")
	assert.NoError(t, read.corrupt)
	_, err = rows.Columns()
	assert.ErrorContains(t, err, "closed")
	require.NoError(t, rows.Err())
}

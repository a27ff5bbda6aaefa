package sqlite

import (
	"database/sql/driver"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/tokenrow"
)

func TestListRefusesAPositionThatNoTokenHas(t *testing.T) {
	s, rec := testStore(t, ":memory:"), testRecord(t)
	require.NoError(t, s.Insert(t.Context(), rec, 0))
	query := pat.ListQuery{Owner: pat.Owner{UserID: rec.Token.UserID}, Limit: 10}
	query.After = pat.Position{CreatedAt: created, ID: "x"}
	_, err := s.List(t.Context(), query)
	assert.ErrorIs(t, err, pat.ErrInvalidArgument)
}

// A list begins before every row, also before those that are damaged.
func TestARowFromTheFarFutureIsMet(t *testing.T) {
	s, rec := testStore(t, ":memory:"), testRecord(t)
	require.NoError(t, s.Insert(t.Context(), rec, 0))
	for _, at := range []string{"253402300800000000", "253402300800000001", "9223372036854775806"} {
		require.NoError(t, s.writer.stack[0].exec("UPDATE pat_tokens SET created_at = "+at))
		_, err := s.List(t.Context(), pat.ListQuery{Owner: pat.Owner{UserID: rec.Token.UserID}, Limit: 10})
		assert.ErrorIs(t, err, pat.ErrCorrupt, at)
	}
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
	row, err := encode(testRecord(t))
	require.NoError(t, err)
	rows := &rowsThatFail{first: row}
	read, err := newSession(nil).tokens(rows)
	require.ErrorIs(t, err, errDisk)
	assert.Equal(t, tokenrow.Tokens{}, read)
	assert.True(t, rows.closed)
}

// rowsThatFail have one row, and then an error.
type rowsThatFail struct {
	driver.Rows
	first  []driver.Value
	closed bool
}

func (r *rowsThatFail) Next(dest []driver.Value) error {
	if r.first == nil {
		return errDisk
	}
	copy(dest, r.first)
	r.first = nil
	return nil
}

func (r *rowsThatFail) Close() error {
	r.closed = true
	return nil
}

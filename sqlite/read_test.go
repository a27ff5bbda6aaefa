package sqlite

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAStatementThatCannotBePreparedStaysAnError(t *testing.T) {
	p := preparer{session: sessions(testStore(t, ":memory:"))[0]}
	assert.Nil(t, p.prepare("SELECT absent"))
	require.ErrorContains(t, p.err, "absent")
	p.prepare("SELECT 1")
	assert.ErrorContains(t, p.err, "absent")
}

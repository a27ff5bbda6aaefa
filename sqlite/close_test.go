package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/sqlite"
)

// SQLite takes the write-ahead log away when the last connection goes. If it is still there, a connection is still
// open, with its file.
func TestCloseLeavesNoConnectionOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pat.db")
	store, err := sqlite.Open(path)
	require.NoError(t, err)
	assert.FileExists(t, path+"-wal")
	require.NoError(t, store.Close())
	assert.NoFileExists(t, path+"-wal")
	assert.NoFileExists(t, path+"-shm")
}

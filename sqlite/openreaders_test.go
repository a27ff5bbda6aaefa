package sqlite

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The readers are opened after the writer, and meanwhile another process may have been at the file.
func TestTheReadersLookForThemselves(t *testing.T) {
	folder := t.TempDir()
	garbage, foreign := filepath.Join(folder, "garbage.db"), filepath.Join(folder, "foreign.db")
	require.NoError(t, os.WriteFile(garbage, make([]byte, 4096), 0o600))
	Execute(t, foreign, "CREATE TABLE other (x)")
	for path, want := range map[string]func(error) bool{
		filepath.Join(folder, "missing", "pat.db"): func(err error) bool { return assert.ErrorIs(t, err, fs.ErrNotExist) },
		garbage:                          func(err error) bool { return assert.ErrorContains(t, err, "not a database") },
		foreign:                          func(err error) bool { return assert.ErrorContains(t, err, "no such table") },
		filepath.Join(folder, "gone.db"): func(err error) bool { return assert.Error(t, err) },
	} {
		all := new(connections)
		sessions, keeper, err := openReaders(all, path, options{})
		want(err)
		assert.Nil(t, sessions)
		assert.Nil(t, keeper)
		assert.NoError(t, all.close())
	}
	models, err := filepath.Glob(filepath.Join(folder, ".pat-*"))
	require.NoError(t, err)
	assert.Empty(t, models, "what SQLite takes the mode of a new file from")
}

func TestADatabaseThatCannotBeWrittenToIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pat.db")
	s, err := Open(path)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	Execute(t, path, "ALTER TABLE pat_tokens RENAME TO held; CREATE VIEW pat_tokens AS SELECT * FROM held")
	_, err = Open(path)
	assert.ErrorContains(t, err, "is a view")
}

func TestTheKeeperLooksForItself(t *testing.T) {
	path := filepath.Join(t.TempDir(), "garbage.db")
	require.NoError(t, os.WriteFile(path, make([]byte, 4096), 0o600))
	file, err := findFile(path)
	require.NoError(t, err)
	all := new(connections)
	keeper, err := openKeeper(all, file, options{})
	assert.ErrorContains(t, err, "not a database")
	assert.Nil(t, keeper)
	assert.NoError(t, all.close())
}

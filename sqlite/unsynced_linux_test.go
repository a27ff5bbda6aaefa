package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// SQLite undoes a commit that can't be synced, but its log has it, and a recovery finds it there: what failed was done.
func TestTheOutcomeOfAWriteThatCannotBeSyncedIsUnknown(t *testing.T) {
	folder := tempDir(t)
	path := filepath.Join(folder, "pat.db")
	t.Setenv(brokenVariable, filepath.Join(t.TempDir(), "broken"))
	logged(t, buildFileLog(t), folder, "write unsynced", path)
	_, err := open(t, path).FindByPrefix(ctx, workload{}.record(0).Token.Prefix)
	require.NoError(t, err)
}

//go:build !windows && !libsqlite3

package sqlite

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// keptFor is for how long the package says that the lock is kept.
const keptFor = 5 * time.Millisecond

// keeping is a store, and another program that has the same file open. The keeper takes no turns of its own accord
// unless turnDue is set to false.
type keeping struct {
	*Store
	path  string
	other *sql.DB
}

func newKeeping(t *testing.T) keeping {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pat.db")
	s := testStore(t, path)
	require.NotNil(t, s.keeper, "which the SQLite that the driver comes with must know how to have")
	s.keeper.turnDue.Store(true)
	require.NoError(t, s.Insert(t.Context(), testRecord(t), 0))
	other, err := sql.Open("sqlite3", path)
	require.NoError(t, err)
	other.SetMaxOpenConns(1)
	t.Cleanup(func() { require.NoError(t, other.Close()) })
	return keeping{s, path, other}
}

// lookUps looks a token up so many times, and reports whether it is revoked.
func (k keeping) lookUps(t *testing.T, n int) (revoked bool) {
	t.Helper()
	for range n {
		rec, err := k.FindByPrefix(t.Context(), testRecord(t).Token.Prefix)
		require.NoError(t, err)
		revoked = !rec.Token.RevokedAt.IsZero()
	}
	return revoked
}

// locked reports whether the other program, which does not wait, finds that somebody reads a state of the log. A log
// that nobody reads it empties.
func (k keeping) locked(t *testing.T) bool {
	t.Helper()
	return k.fold(t, "TRUNCATE")
}

// fold has the other program fold the log into the file, and reports whether somebody is in the way.
func (k keeping) fold(t *testing.T, how string) bool {
	t.Helper()
	var busy, pages, inFile int
	require.NoError(t, k.other.QueryRowContext(t.Context(), "PRAGMA busy_timeout = 0").Scan(&busy))
	require.NoError(t, k.other.QueryRowContext(t.Context(), "PRAGMA wal_checkpoint("+how+")").Scan(&busy, &pages, &inFile))
	return busy == 1
}

// commit has the other program change something.
func (k keeping) commit(t *testing.T) {
	t.Helper()
	_, err := k.other.ExecContext(t.Context(), "UPDATE pat_tokens SET updated_at = updated_at + 1")
	require.NoError(t, err)
}

// renew has the lock renewed, as if there had been many look-ups.
func (k keeping) renew() bool {
	k.keeper.lookUps.Add(keepFrom)
	return k.keeper.renew()
}

// renewUntilKept has the lock renewed until the state of the log has been the same twice.
func (k keeping) renewUntilKept(t *testing.T) {
	t.Helper()
	for range 2 {
		require.True(t, k.renew())
	}
	require.NotNil(t, k.keeper.kept)
}

// log returns how many pages the log has, and how many of them are in the file.
func (k keeping) log(t *testing.T) (pages, inFile int) {
	t.Helper()
	var busy int
	require.NoError(t, k.other.QueryRowContext(t.Context(), "PRAGMA wal_checkpoint(NOOP)").Scan(&busy, &pages, &inFile))
	return pages, inFile
}

func TestTheLockIsKeptAsLongAsThereAreManyLookUps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeeping(t)
		k.keeper.turnDue.Store(false)
		k.commit(t) // so that the log is not empty, and a lock on it shows
		for range 2 {
			k.lookUps(t, 2*keepFrom)
			time.Sleep(keptFor)
			synctest.Wait()
		}
		assert.True(t, k.locked(t))
		k.lookUps(t, keepFrom-1)
		time.Sleep(keptFor)
		synctest.Wait()
		assert.False(t, k.locked(t), "too few for another turn")
		assert.False(t, k.keeper.turnDue.Load())
		k.lookUps(t, keepFrom)
		assert.True(t, k.keeper.turnDue.Load(), "and it begins again")
	})
}

func TestTheLockIsNotKeptForFewLookUps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeeping(t)
		k.keeper.turnDue.Store(false)
		k.lookUps(t, keepFrom-1)
		require.False(t, k.keeper.turnDue.Load(), "nobody even counts the time")
		for range 100 * keepFrom {
			k.lookUps(t, 1)
			time.Sleep(keptFor/keepFrom + 100*time.Microsecond)
			synctest.Wait()
			require.Nil(t, k.keeper.kept)
		}
	})
}

// Who folds the log does that behind a commit, and another often follows.
func TestTheLockIsNotKeptWhereSomethingHasChanged(t *testing.T) {
	k := newKeeping(t)
	for range 10 {
		k.renewUntilKept(t)
		k.commit(t)
		k.renew()
		require.Nil(t, k.keeper.kept)
	}
}

func TestTheLockIsNotKeptWhileTheLogIsLongAndNotInTheFile(t *testing.T) {
	k := newKeeping(t)
	_, err := k.other.ExecContext(t.Context(), "PRAGMA wal_autocheckpoint = 0")
	require.NoError(t, err)
	pages, inFile := k.log(t)
	for ; pages < shortLog; pages, inFile = k.log(t) {
		k.renewUntilKept(t)
		k.commit(t)
	}
	require.Less(t, inFile, pages)
	for range 10 {
		k.renew()
		require.Nil(t, k.keeper.kept)
	}
	_, err = k.other.ExecContext(t.Context(), "PRAGMA wal_checkpoint")
	require.NoError(t, err)
	pages, inFile = k.log(t)
	require.GreaterOrEqual(t, pages, shortLog)
	require.Equal(t, pages, inFile)
	k.renewUntilKept(t)
	k.commit(t)
	pages, _ = k.log(t)
	assert.Less(t, pages, shortLog, "and it is begun anew though the lock is kept")
}

func TestALockIsInTheWayOfWhoFoldsMoreThanWhatIsLockedOrBeginsTheLogAnew(t *testing.T) {
	for name, c := range map[string]struct {
		how   string
		after bool // a commit behind the one that is locked
		held  bool
	}{
		"folds what is locked":           {how: "FULL"},
		"folds more than what is locked": {how: "FULL", after: true, held: true},
		"begins the log anew":            {how: "RESTART", held: true},
		"empties the log":                {how: "TRUNCATE", held: true},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKeeping(t)
			k.commit(t)
			k.renewUntilKept(t)
			if c.after {
				k.commit(t)
			}
			assert.Equal(t, c.held, k.fold(t, c.how))
			k.renew()
			assert.False(t, k.fold(t, c.how), "from the next turn on")
		})
	}
}

// The worst for the log: each commit comes when several stores keep a lock on what was there before.
func TestTheLogGrowsNoLongerBecauseLocksAreKept(t *testing.T) {
	for folded, commits := range map[int]int{1: 1000, 100: 1000, 1000: 3500} {
		t.Run(fmt.Sprintf("folded from %d pages on", folded), func(t *testing.T) {
			k := newKeeping(t)
			_, err := k.other.ExecContext(t.Context(), fmt.Sprintf("PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = %d", folded))
			require.NoError(t, err)
			keepers := []*keeper{k.keeper}
			for range 4 {
				keepers = append(keepers, testStore(t, k.path).keeper)
			}
			kept, longest := 0, 0
			for range commits {
				for _, keeper := range keepers {
					for range 2 { // in the first the change is seen
						keeper.lookUps.Add(keepFrom)
						keeper.renew()
					}
					if keeper.kept != nil {
						kept++
					}
				}
				k.commit(t)
				pages, _ := k.log(t)
				longest = max(longest, pages)
			}
			t.Logf("%d of %d locks kept, %d pages at most of more than %d", kept, len(keepers)*commits, longest, commits)
			assert.Positive(t, kept)
			assert.GreaterOrEqual(t, longest, folded)
			assert.Less(t, longest, folded+50)
		})
	}
}

func TestTheLockIsKeptOnlyWhereItHoldsNobodyUp(t *testing.T) {
	for state, want := range map[logState]bool{
		{0, 0, 0}:       true, // empty
		{0, 899, 0}:     true, // not to be folded yet
		{0, 900, 0}:     false,
		{0, 500, 1}:     false, // somebody could not fold all of it
		{0, 500, 499}:   false,
		{0, 500, 500}:   true,
		{0, 5000, 5000}: true,
		{1, -1, -1}:     false, // as SQLite says where it can't read the state
		{1, 500, 500}:   false,
	} {
		assert.Equal(t, want, state.mayBeLocked(), "%+v", state)
	}
}

func TestAChangeIsSeenWhileTheLockIsKept(t *testing.T) {
	k := newKeeping(t)
	k.renewUntilKept(t)
	require.False(t, k.lookUps(t, 1))
	Execute(t, k.path, "UPDATE pat_tokens SET revoked_at = 1")
	assert.True(t, k.lookUps(t, 1), "by another program")
	Execute(t, k.path, "UPDATE pat_tokens SET revoked_at = NULL")
	k.renewUntilKept(t)
	_, _, err := k.Revoke(t.Context(), testRecord(t).Token.ID, created)
	require.NoError(t, err)
	assert.True(t, k.lookUps(t, 1), "by the store itself")
	assert.NotNil(t, k.keeper.kept)
}

func TestCloseGivesTheLockBackForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeeping(t)
		k.keeper.turnDue.Store(false)
		k.lookUps(t, keepFrom) // a turn is to come
		k.renewUntilKept(t)
		k.commit(t)
		require.True(t, k.locked(t))
		require.NoError(t, k.Close())
		assert.Nil(t, k.keeper.kept)
		assert.False(t, k.locked(t))
		k.keeper.lookUps.Add(keepFrom)
		time.Sleep(10 * keptFor)
		synctest.Wait()
		assert.False(t, k.keeper.turnDue.Load())
		assert.Nil(t, k.keeper.kept)
	})
}

func TestALookUpDoesNotNeedTheLockToBeKept(t *testing.T) {
	for _, failing := range []string{"log", "a row of log", "newest", "a row of newest"} {
		t.Run(failing, func(t *testing.T) {
			k := newKeeping(t)
			k.renewUntilKept(t)
			faults := &injector{failing: func(statement string) bool { return statement == failing }}
			k.keeper.ofLog = &faultyStmt{k.keeper.ofLog.(*sqlite3.SQLiteStmt), "log", faults}
			k.keeper.newest = &faultyStmt{k.keeper.newest.(*sqlite3.SQLiteStmt), "newest", faults}
			for range 3 {
				assert.True(t, k.renew(), "it tries again")
				require.Nil(t, k.keeper.kept)
			}
			k.lookUps(t, 1)
			assert.False(t, k.locked(t))
			faults.failing = nil
			k.renewUntilKept(t)
		})
	}
}

func TestTheLockIsNotKeptWhereThatDoesNoGoodOrHarm(t *testing.T) {
	assert.True(t, canKeep("linux", 3_054_001))
	assert.True(t, canKeep("darwin", 3_055_000))
	assert.False(t, canKeep("windows", 3_054_001), "nothing is saved there")
	assert.False(t, canKeep("linux", 3_054_000), "the statement may be another")
}

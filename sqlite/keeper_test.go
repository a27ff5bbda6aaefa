package sqlite

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// keeping is a store, and another program that has the same file open.
type keeping struct {
	*Store
	path  string
	other *sql.DB
}

func newKeeping(t *testing.T) keeping {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pat.db")
	s := testStore(t, path)
	rec := testRecord(t)
	require.NoError(t, s.Insert(t.Context(), rec, 0))
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

// locked reports whether the other program finds that somebody still reads a state of the log.
func (k keeping) locked(t *testing.T) bool {
	t.Helper()
	var busy, inLog, folded int
	require.NoError(t, k.other.QueryRowContext(t.Context(), "PRAGMA busy_timeout = 0").Scan(&busy))
	require.NoError(t, k.other.QueryRowContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &inLog, &folded))
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

// renewUntilKept has the lock renewed until it is kept, which chance prevents once in a while.
func (k keeping) renewUntilKept(t *testing.T) {
	t.Helper()
	for range 1000 {
		if k.renew(); k.keeper.kept != nil {
			return
		}
	}
	t.Fatal("never kept")
}

func TestTheLockIsKeptAsLongAsThereAreManyLookUps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeeping(t)
		k.commit(t) // so that the log is not empty, and a lock on it shows
		for turns := 0; !k.locked(t); turns++ {
			require.Less(t, turns, 1000)
			k.commit(t)
			for range 3 { // in the first a change is seen
				k.lookUps(t, 2*keepFrom)
				time.Sleep(keepFor)
				synctest.Wait()
			}
		}
		k.lookUps(t, keepFrom-1)
		time.Sleep(keepFor)
		synctest.Wait()
		assert.False(t, k.locked(t), "too few for another turn")
		assert.False(t, k.keeper.running.Load())
		k.lookUps(t, keepFrom)
		assert.True(t, k.keeper.running.Load(), "and it begins again")
	})
}

func TestTheLockIsNotKeptForFewLookUps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeeping(t)
		k.lookUps(t, keepFrom-1)
		require.False(t, k.keeper.running.Load(), "nobody even counts the time")
		for range 100 * keepFrom {
			k.lookUps(t, 1)
			time.Sleep(keepFor/keepFrom + 100*time.Microsecond)
			synctest.Wait()
			require.Nil(t, k.keeper.kept)
		}
	})
}

// Who folds the log does that behind a commit, and another often follows.
func TestTheLockIsNotKeptWhereSomethingHasChanged(t *testing.T) {
	k := newKeeping(t)
	for range 10 * restOnce {
		k.renewUntilKept(t)
		k.commit(t)
		k.renew()
		require.Nil(t, k.keeper.kept)
	}
}

func TestTheLockIsNotKeptOnceInAWhile(t *testing.T) {
	k := newKeeping(t)
	k.renewUntilKept(t)
	const turns = 10_000
	rests := 0
	for range turns {
		if k.renew(); k.keeper.kept == nil {
			rests++
		}
	}
	assert.InDelta(t, turns/restOnce, rests, turns/restOnce/4, "eight standard deviations")
}

// The worst for the log: each commit comes when a lock was just taken. Chance has some of them find none.
func TestTheLogDoesNotGrowThoughTheLockIsKeptAtMostCommits(t *testing.T) {
	const foldedFrom, most, commits = 100, 700, 3000 // 600 commits in a row find a lock once in 10^34
	k := newKeeping(t)
	_, err := k.other.ExecContext(t.Context(), "PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 100")
	require.NoError(t, err)
	for range commits {
		for range 2 { // in the first the change is seen
			k.renew()
		}
		k.commit(t)
	}
	info, err := os.Stat(k.path + "-wal")
	require.NoError(t, err)
	frames := int(info.Size() / (4096 + 24))
	assert.Greater(t, frames, foldedFrom)
	assert.Less(t, frames, most, "more than %d were written", commits)
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
		k.lookUps(t, keepFrom) // a turn is to come
		k.renewUntilKept(t)
		k.commit(t)
		require.True(t, k.locked(t))
		require.NoError(t, k.Close())
		assert.Nil(t, k.keeper.kept)
		assert.False(t, k.locked(t))
		k.keeper.lookUps.Add(keepFrom)
		time.Sleep(10 * keepFor)
		synctest.Wait()
		assert.False(t, k.keeper.running.Load())
		assert.Nil(t, k.keeper.kept)
	})
}

func TestALookUpDoesNotNeedTheLockToBeKept(t *testing.T) {
	for _, failing := range []string{"PRAGMA data_version", "a row of PRAGMA data_version"} {
		t.Run(failing, func(t *testing.T) {
			k := newKeeping(t)
			k.renewUntilKept(t)
			version := k.keeper.version
			faults := &injector{failing: func(statement string) bool { return statement == failing }}
			k.keeper.version = &faultyStmt{version.(*sqlite3.SQLiteStmt), "PRAGMA data_version", faults}
			for range 10 * restOnce {
				assert.True(t, k.renew(), "it tries again")
				require.Nil(t, k.keeper.kept)
			}
			k.lookUps(t, 1)
			assert.False(t, k.locked(t))
			k.keeper.version = version
			k.renewUntilKept(t)
		})
	}
}

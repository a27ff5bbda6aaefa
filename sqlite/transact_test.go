package sqlite

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

func TestWritesThatWaitAreCommittedTogether(t *testing.T) {
	inLine(t, func(t *testing.T, l *line) {
		var recs []pat.Record
		for range mostTogether + 1 {
			recs = append(recs, l.insert(t.Context(), 0))
		}
		l.release()
		for i, err := range l.answers() {
			assert.NoError(t, err, "number %d", i)
		}
		assert.Equal(t, 2, l.count("COMMIT"), "so many at once, and no more")
		l.holds(recs, slices.Repeat([]bool{true}, len(recs))...)
	})
}

func TestNobodyWaitsLongForThoseBehind(t *testing.T) {
	inLine(t, func(t *testing.T, l *line) {
		for range 4 {
			l.work(t.Context(), func(*session) error {
				time.Sleep(longestTogether / 2) // of the bubble
				return nil
			})
		}
		l.release()
		time.Sleep(longestTogether)
		synctest.Wait()
		assert.Equal(t, []error{nil, nil, errWaits, errWaits}, l.answers())
		time.Sleep(longestTogether)
		synctest.Wait()
		assert.Equal(t, []error{nil, nil, nil, nil}, l.answers())
		assert.Equal(t, 2, l.count("COMMIT"))
	})
}

func TestWhoIsAloneNeedsNoSavepoint(t *testing.T) {
	f := newFaultyStore(t)
	f.injector.arm(0, false)
	require.NoError(t, f.Insert(t.Context(), nextRecord(f.rec), 0))
	assert.Equal(t, []string{"BEGIN IMMEDIATE", insert, "COMMIT"}, f.injector.seen)
}

func TestEachOfThoseCommittedTogetherHasItsOwnAnswer(t *testing.T) {
	inLine(t, func(t *testing.T, l *line) {
		const limit = 3 // and there is a token already
		recs := []pat.Record{l.insert(t.Context(), limit), l.insert(t.Context(), limit), l.insert(t.Context(), limit), l.insert(t.Context(), 0)}
		l.call(func() error { return l.Insert(t.Context(), recs[0], limit) })
		l.call(func() error { _, _, err := l.Revoke(t.Context(), recs[0].Token.ID, created); return err })
		l.call(func() error { return l.Touch(t.Context(), []pat.Use{{Prefix: recs[1].Token.Prefix, At: created}}) })
		l.release()
		for i, err := range l.answers() {
			if i == 2 {
				assert.ErrorIs(t, err, pat.ErrLimitReached)
			} else {
				assert.NoError(t, err, "number %d", i)
			}
		}
		assert.Equal(t, 1, l.count("COMMIT"))
		l.holds(recs, true, true, false, true)
		got, err := l.FindByPrefix(t.Context(), recs[0].Token.Prefix)
		require.NoError(t, err)
		assert.Equal(t, created, got.Token.RevokedAt, "in the order in which they came")
		got, err = l.FindByPrefix(t.Context(), recs[1].Token.Prefix)
		require.NoError(t, err)
		assert.Equal(t, created, got.Token.LastUsedAt)
	})
}

func TestIfTheCommitFailsItFailsForAll(t *testing.T) {
	inLine(t, func(t *testing.T, l *line) {
		recs := []pat.Record{l.insert(t.Context(), 0), l.insert(t.Context(), 1), l.insert(t.Context(), 0)} // the second finds a full group
		l.injector.failing = func(statement string) bool { return statement == "COMMIT" }
		l.release()
		for i, err := range l.answers() {
			assert.ErrorIs(t, err, errDisk, "number %d", i)
			assert.NotErrorIs(t, err, pat.ErrLimitReached, "what it saw is not there")
		}
		l.injector.failing = nil
		l.holds(recs, false, false, false)
	})
}

func TestNobodyHasAnAnswerBeforeTheCommit(t *testing.T) {
	inLine(t, func(t *testing.T, l *line) {
		for range 3 {
			l.insert(t.Context(), 2) // the group has room for one
		}
		synced := make(chan struct{})
		l.injector.failing = func(statement string) bool {
			if statement == "COMMIT" {
				<-synced
			}
			return false
		}
		l.release()
		assert.Equal(t, []error{errWaits, errWaits, errWaits}, l.answers())
		close(synced)
		synctest.Wait()
		assert.NoError(t, l.answers()[0])
		assert.ErrorIs(t, l.answers()[1], pat.ErrLimitReached)
		assert.ErrorIs(t, l.answers()[2], pat.ErrLimitReached)
	})
}

func TestWhoIsCanceledInLineLeavesAtOnce(t *testing.T) {
	inLine(t, func(t *testing.T, l *line) {
		ctx, cancel := context.WithCancel(t.Context())
		recs := []pat.Record{l.insert(t.Context(), 0), l.insert(ctx, 0), l.insert(t.Context(), 0)}
		cancel()
		synctest.Wait()
		assert.Equal(t, []error{errWaits, context.Canceled, errWaits}, l.answers())
		l.release()
		assert.Equal(t, []error{nil, context.Canceled, nil}, l.answers())
		l.holds(recs, true, false, true)
	})
}

// While the work goes on its caller's context has it undone; once the work is done it is the commit that counts.
func TestWhoIsCanceledWhileItsTurnLastsHasTheTrueOutcome(t *testing.T) {
	inLine(t, func(t *testing.T, l *line) {
		first, cancelFirst := context.WithCancel(t.Context())
		second, cancelSecond := context.WithCancel(t.Context())
		recs := []pat.Record{l.insert(first, 0)}
		rec := nextRecord(l.rec)
		row, err := encode(rec)
		require.NoError(t, err)
		l.work(second, func(c *session) error {
			cancelFirst()
			cancelSecond()
			return c.insert(row)
		})
		recs = append(recs, rec, l.insert(t.Context(), 0))
		l.release()
		assert.Equal(t, []error{nil, context.Canceled, nil}, l.answers())
		l.holds(recs, true, false, true)
	})
}

func TestNobodyWaitsForTheLockWithTheContextOfAnother(t *testing.T) {
	inLine(t, func(t *testing.T, l *line) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		recs := []pat.Record{l.insert(ctx, 0), l.insert(t.Context(), 0), l.insert(t.Context(), 0)}
		var locked atomic.Bool // by another process
		locked.Store(true)
		l.injector.busy = func(statement string) bool { return locked.Load() && statement == "BEGIN IMMEDIATE" }
		l.release()
		time.Sleep(11 * time.Millisecond) // of the bubble
		synctest.Wait()
		assert.Equal(t, []error{context.DeadlineExceeded, errWaits, errWaits}, l.answers())
		locked.Store(false)
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, []error{context.DeadlineExceeded, nil, nil}, l.answers())
		l.holds(recs, false, true, true)
	})
}

// Where another process does not give the lock back, nobody waits longer because others were in line before.
func TestWhoIsInLineWaitsForTheLockNoLongerThanTheFirst(t *testing.T) {
	inLine(t, func(t *testing.T, l *line) {
		var locked atomic.Bool
		l.injector.busy = func(statement string) bool { return locked.Load() && statement == "BEGIN IMMEDIATE" }
		pass := func(d time.Duration) { // of the bubble
			time.Sleep(d)
			synctest.Wait()
		}
		gaveUp := func(places ...int) {
			t.Helper()
			for _, i := range places {
				assert.True(t, isBusy(l.answers()[i]), "number %d: %v", i, l.answers()[i])
			}
		}
		recs := []pat.Record{l.insert(t.Context(), 0), l.insert(t.Context(), 0)}
		pass(2 * l.busyTimeout) // for a write of this process, which does not count
		locked.Store(true)
		l.release()
		pass(l.busyTimeout / 2)
		recs = append(recs, l.insert(t.Context(), 0))
		pass(l.busyTimeout/2 - time.Nanosecond)
		assert.Equal(t, []error{errWaits, errWaits, errWaits}, l.answers())
		pass(time.Nanosecond)
		gaveUp(0, 1)
		assert.Equal(t, errWaits, l.answers()[2], "who came later")
		pass(l.busyTimeout/2 - time.Nanosecond)
		locked.Store(false)
		pass(time.Nanosecond)
		assert.NoError(t, l.answers()[2])
		l.holds(recs, false, false, true)

		locked.Store(true)
		l.insert(t.Context(), 0)
		pass(l.busyTimeout - time.Nanosecond)
		assert.Equal(t, errWaits, l.answers()[3], "a new wait for a lock that was free in between")
		pass(time.Nanosecond)
		gaveUp(3)
	})
}

func TestAPanicGoesToItsCallerAlone(t *testing.T) {
	for place := range 3 {
		inLine(t, func(t *testing.T, l *line) {
			var recs []pat.Record
			for n := range 3 {
				if n != place {
					recs = append(recs, l.insert(t.Context(), 0))
					continue
				}
				l.work(t.Context(), func(c *session) error {
					require.NoError(t, c.exec("DELETE FROM pat_tokens"))
					panic("out of order")
				})
			}
			l.release()
			for n, err := range l.answers() {
				if n == place {
					assert.EqualError(t, err, "panic: out of order")
				} else {
					assert.NoError(t, err)
				}
			}
			l.holds(append(recs, l.rec), true, true, true)
		})
	}
}

func TestWorkThatEndsItsGoroutineLeavesNobodyWaiting(t *testing.T) {
	inLine(t, func(t *testing.T, l *line) {
		recs := []pat.Record{l.insert(t.Context(), 0)}
		l.work(t.Context(), func(*session) error { runtime.Goexit(); return nil })
		recs = append(recs, l.insert(t.Context(), 0))
		l.release()
		assert.Equal(t, errWaits, l.answers()[0], "its goroutine is the one that did the work, and ended")
		assert.ErrorIs(t, l.answers()[1], errUnfinished)
		assert.NoError(t, l.answers()[2])
		l.holds(recs, false, true)
	})
}

// After some errors of the disk SQLite rolls back the whole transaction, and with it what others had written.
func TestAWriteThatTakesTheTransactionDownFailsAlone(t *testing.T) {
	for name, work := range map[string]func(c *session) error{
		"rolled back": func(c *session) error {
			require.NoError(t, c.exec("ROLLBACK"))
			return errDisk
		},
		"without its savepoint": func(c *session) error { return c.exec("RELEASE pat_write") },
	} {
		for place := range 3 {
			t.Run(fmt.Sprint(name, " at place ", place), func(t *testing.T) {
				if place == 0 && name != "rolled back" {
					return // the first has none
				}
				inLine(t, func(t *testing.T, l *line) {
					var recs []pat.Record
					for n := range 3 {
						if n == place {
							l.work(t.Context(), work)
						} else {
							recs = append(recs, l.insert(t.Context(), 0))
						}
					}
					l.release()
					for n, err := range l.answers() {
						if n == place {
							assert.Error(t, err)
						} else {
							assert.NoError(t, err)
						}
					}
					l.holds(recs, true, true)
				})
			})
		}
	}
}

func TestAFaultAtASavepointIsThatOfItsCaller(t *testing.T) {
	for _, statement := range []string{"SAVEPOINT pat_write", "RELEASE pat_write", "ROLLBACK TO pat_write; RELEASE pat_write"} {
		inLine(t, func(t *testing.T, l *line) {
			limit := 0
			if strings.HasPrefix(statement, "ROLLBACK") {
				limit = 1 // the group is full
			}
			recs := []pat.Record{l.insert(t.Context(), 0), l.insert(t.Context(), limit), l.insert(t.Context(), 0)}
			failed := false
			l.injector.failing = func(seen string) bool {
				fails := seen == statement && !failed
				failed = failed || fails
				return fails
			}
			l.release()
			assert.True(t, failed, statement)
			assert.NoError(t, l.answers()[0], statement)
			assert.Error(t, l.answers()[1], statement)
			assert.NoError(t, l.answers()[2], statement)
			l.holds(recs, true, false, true)
		})
	}
}

// Who has to be done again has it done whatever has become of the caller who does the work.
func TestWritesAreDoneAgainWithoutTheContextOfAnother(t *testing.T) {
	inLine(t, func(t *testing.T, l *line) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		recs := []pat.Record{l.insert(ctx, 0), l.insert(t.Context(), 0)}
		var locked atomic.Bool
		l.work(t.Context(), func(c *session) error {
			cancel()
			locked.Store(true) // by another process, as soon as it can
			require.NoError(t, c.exec("ROLLBACK"))
			return errDisk
		})
		l.injector.busy = func(statement string) bool { return locked.Load() && statement == "BEGIN IMMEDIATE" }
		l.release()
		locked.Store(false)
		time.Sleep(time.Second) // of the bubble
		synctest.Wait()
		assert.Equal(t, context.Canceled, l.answers()[0])
		assert.NoError(t, l.answers()[1])
		assert.ErrorIs(t, l.answers()[2], errDisk)
		l.holds(recs, false, true)
	})
}

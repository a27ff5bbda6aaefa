package sqlite_test

import (
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/peer"
	"github.com/patkit/pat/memory"
	"github.com/patkit/pat/sqlite"
)

// A write for which there is no room says so and changes nothing. Reads go on. Once there is room, writes do too.
func TestAFullDiskLosesNothing(t *testing.T) {
	whole := t.TempDir()
	s, err := sqlite.Open(filepath.Join(whole, "pat.db"))
	require.NoError(t, err)
	fillHalf(t, s)
	require.NoError(t, s.Close())
	for _, full := range []struct {
		name string
		fill func(t *testing.T, s *sqlite.Store, path string) (makeRoom func())
		want error
		fit  []string // the writes that find room nevertheless
	}{
		{"the database has all the pages that it may have", forbidPages, syscall.ENOSPC, []string{"touch", "purge"}},
		{"no file can grow", forbidBytesBeyond(0), syscall.EFBIG, nil},
		{"there is room for less than a page", forbidBytesBeyond(1000), syscall.EFBIG, nil},
		{"there is room for a few pages", forbidBytesBeyond(50_000), syscall.EFBIG, nil},
	} {
		for name, write := range writesOfFullDisk {
			t.Run(full.name+"/"+name, func(t *testing.T) {
				folder := t.TempDir()
				require.NoError(t, os.CopyFS(folder, os.DirFS(whole)))
				path := filepath.Join(folder, "pat.db")
				s, model := open(t, path), memory.New()
				fillHalf(t, model)
				makeRoom := full.fill(t, s, path)

				n := 0
				err := write(s, n)
				for ; err == nil && n < writesUntilFull; err = write(s, n) {
					require.NoError(t, write(model, n))
					n++
				}
				if slices.Contains(full.fit, name) {
					require.NoError(t, err)
					require.NoError(t, write(model, n))
					assertSameContents(t, model, s)
					return
				}
				require.ErrorIs(t, err, full.want)
				require.NotErrorIs(t, err, pat.ErrOutcomeUnknown)
				assertSameContents(t, model, s)

				makeRoom()
				t.Logf("%d writes, and then: %v", n, err) // not before there is room: the log may be a file too
				require.NoError(t, write(s, n))
				require.NoError(t, write(model, n))
				assertSameContents(t, model, s)
				require.NoError(t, s.Close())
				require.NoError(t, integrity(path))
				assertSameContents(t, model, open(t, path))
			})
		}
	}
}

func assertSameContents(t *testing.T, want, got pat.Store) {
	t.Helper()
	wanted, err := contents(want)
	require.NoError(t, err)
	found, err := contents(got)
	require.NoError(t, err)
	assert.Equal(t, wanted, found)
}

// forbidPages takes away the room for another page of the database. SQLite says then what it says on a full disk.
func forbidPages(t *testing.T, s *sqlite.Store, _ string) func() {
	t.Helper()
	require.NoError(t, s.LimitPages(1)) // which means as many as there are
	return func() { require.NoError(t, s.LimitPages(math.MaxInt32)) }
}

// forbidBytesBeyond takes away the room for more than so many bytes in the write-ahead log, which is empty.
func forbidBytesBeyond(size uint64) func(t *testing.T, s *sqlite.Store, path string) func() {
	return func(t *testing.T, _ *sqlite.Store, path string) func() {
		t.Helper()
		info, err := os.Stat(path + "-wal")
		require.NoError(t, err)
		require.Zero(t, info.Size())
		var before syscall.Rlimit
		require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before))
		signal.Ignore(syscall.SIGXFSZ)
		require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: before.Max}))
		makeRoom := func() {
			require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before))
			signal.Reset(syscall.SIGXFSZ)
		}
		t.Cleanup(makeRoom)
		return makeRoom
	}
}

const writesUntilFull = 200

// fillHalf adds tokens that live, with even numbers, and tokens that are revoked, as many as there are writes of each
// kind.
func fillHalf(t *testing.T, s pat.Store) {
	t.Helper()
	for n := range 2 * writesUntilFull {
		rec := workload{}.record(n)
		rec.Token.ExpiresAt = time.Time{}
		if n%2 == 1 {
			rec.Token.RevokedAt = workload{}.time(n)
		}
		require.NoError(t, s.Insert(t.Context(), rec, 0))
	}
}

// writesOfFullDisk are writes of which each changes something, whatever number below writesUntilFull it has.
var writesOfFullDisk = map[string]func(s pat.Store, n int) error{
	"insert": func(s pat.Store, n int) error { return s.Insert(ctx, workload{}.record(1000+n), 0) },
	"rotate": func(s pat.Store, n int) error {
		next, at := workload{}.record(1000+n), workload{}.time(1000)
		next.Token.RotatedFrom = tokenID(2 * n)
		return s.Rotate(ctx, pat.Rotation{OldID: tokenID(2 * n), At: at, End: at, New: next})
	},
	"revoke": func(s pat.Store, n int) error {
		scattered := n * 37 % writesUntilFull
		_, _, err := s.Revoke(ctx, tokenID(2*scattered), workload{}.time(1000))
		return err
	},
	"revoke all": func(s pat.Store, n int) error {
		_, err := s.RevokeAll(ctx, pat.Owner{GroupID: "group"}, workload{}.time(1000))
		return err
	},
	"touch": func(s pat.Store, n int) error {
		var uses []pat.Use
		for i := range 20 {
			uses = append(uses, pat.Use{Prefix: tokenPrefix((20*n + i) % (2 * writesUntilFull)), At: workload{}.time(1000 + n)})
		}
		return s.Touch(ctx, uses)
	},
	"replace digest": func(s pat.Store, n int) error {
		longer, err := pat.ParseDigest("argon2id$$" + strings.Repeat("d", 400))
		peer.Must(err)
		_, err = s.ReplaceDigest(ctx, tokenPrefix(2*n), tokenDigest(2*n), longer)
		return err
	},
	"purge": func(s pat.Store, n int) error {
		_, err := s.Purge(ctx, workload{}.time(2*n+1).Add(time.Millisecond), 10)
		return err
	},
}

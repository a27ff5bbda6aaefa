//go:build unix

package postgres

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/pgtest"
)

// A server that waits for a log of which nobody sends more is a standby that lags for ever.
func TestAStandbyIsNotAsked(t *testing.T) {
	cluster := pgtest.Own(t)
	ctx := t.Context()
	pool := pgtest.PoolTo(t, cluster.URL())
	s, err := New(ctx, pool)
	require.NoError(t, err)
	rec := s.add(t, 1)[0]
	var folder string
	require.NoError(t, pool.QueryRow(ctx, "SHOW data_directory").Scan(&folder))
	cluster.Stop("fast")
	require.NoError(t, os.WriteFile(filepath.Join(folder, "standby.signal"), nil, 0o600))
	info, err := os.Stat(filepath.Join(folder, "PG_VERSION"))
	require.NoError(t, err)
	require.NoError(t, chownAs(filepath.Join(folder, "standby.signal"), info))
	cluster.Start()
	pool.Reset() // its connections were closed, of which a write would hear too late
	for name, call := range map[string]func() error{
		"FindByPrefix":           func() error { _, err := s.FindByPrefix(ctx, rec.Token.Prefix); return err },
		"FindByPrefix of absent": func() error { _, err := s.FindByPrefix(ctx, "absent"); return err },
		"FindByID":               func() error { _, err := s.FindByID(ctx, rec.Token.ID); return err },
		"List": func() error {
			_, err := s.List(ctx, pat.ListQuery{Owner: pat.Owner{UserID: "user"}, Limit: 1})
			return err
		},
		"Revoke": func() error { _, _, err := s.Revoke(ctx, rec.Token.ID, created); return err },
		"Rotate": func() error { return s.Rotate(ctx, successor(rec, 2, 0)) },
		"Insert": func() error { return s.Insert(ctx, testRecord(3), 10) },
		"Watch":  func() error { return s.Watch(ctx, time.Second, &listener{func(string) {}, func(time.Time) {}}) },
	} {
		err := call()
		require.ErrorIs(t, err, ErrStandby, name)
		require.NotErrorIs(t, err, pat.ErrNotFound, name)
		require.NotErrorIs(t, err, pat.ErrOutcomeUnknown, name)
	}
	stale, err := New(ctx, pool, WithInsecureReplicaReads(pgtest.PoolTo(t, cluster.URL())))
	require.NoError(t, err)
	got, err := stale.FindByPrefix(ctx, rec.Token.Prefix)
	require.NoError(t, err, "a replica is asked where the host wants it so")
	assert.Equal(t, rec, got)
}

// chownAs gives a file the owner of another one: as root, the tests have a server that runs as somebody else.
func chownAs(path string, like fs.FileInfo) error {
	owner := like.Sys().(*syscall.Stat_t)
	return os.Chown(path, int(owner.Uid), int(owner.Gid))
}

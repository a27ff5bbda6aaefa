package memory

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

func record(t *testing.T, n int, user, group string) pat.Record {
	t.Helper()
	digest, err := pat.ParseDigest(fmt.Sprintf("sha256$$%032d", n))
	require.NoError(t, err)
	at := time.Unix(int64(n), 0).UTC()
	return pat.Record{Digest: digest, Token: pat.Token{
		ID: fmt.Sprintf("id %d", n), Prefix: fmt.Sprintf("prefix %d", n), UserID: user, GroupID: group,
		CreatedAt: at, UpdatedAt: at, ExpiresAt: at,
	}}
}

func TestPurgeLeavesNothingBehind(t *testing.T) {
	ctx := context.Background()
	s := New()
	for n := range 3000 {
		require.NoError(t, s.Insert(ctx, record(t, n, fmt.Sprint(n%7), fmt.Sprint(n%50)), 0))
	}
	// The older half first, so that owners lose some of their tokens, and then all.
	for _, until := range []int64{1500, 3000} {
		n, err := s.Purge(ctx, time.Unix(until, 0), 10_000)
		require.NoError(t, err)
		require.Equal(t, 1500, n)
		for _, o := range s.groups {
			require.Less(t, 2*o.purged, len(o.entries)+1, "purged entries are dropped once they are half of an owner's")
		}
	}
	require.Empty(t, s.users, "owners without tokens are forgotten")
	require.Empty(t, s.groups)
	require.Zero(t, s.byID.live)
	require.Zero(t, s.byPrefix.live)
}

func TestListSkipsPurgedEntriesThatAreStillInTheOwnersList(t *testing.T) {
	ctx := context.Background()
	s := New()
	for n := range 10 {
		require.NoError(t, s.Insert(ctx, record(t, n, "user", "group"), 0))
	}
	_, err := s.Purge(ctx, time.Unix(2, 0), 10)
	require.NoError(t, err)
	require.Len(t, s.groups["group"].entries, 10, "two of ten are not worth moving the rest")
	tokens, err := s.List(ctx, pat.ListQuery{Owner: pat.Owner{GroupID: "group"}, Limit: 100})
	require.NoError(t, err)
	require.Len(t, tokens, 8)
	revoked, err := s.RevokeAll(ctx, pat.Owner{UserID: "user"}, time.Unix(100, 0))
	require.NoError(t, err)
	require.Len(t, revoked, 8)
}

func TestAnOwnersEntriesAreMovedTogetherOnceMostOfThemArePurged(t *testing.T) {
	ctx := context.Background()
	s := New()
	for n := range 10 {
		require.NoError(t, s.Insert(ctx, record(t, n, "user", "group"), 0))
	}
	for _, step := range []struct{ gone, entries, purged int }{{5, 10, 5}, {6, 4, 0}, {8, 4, 2}, {9, 1, 0}} {
		_, err := s.Purge(ctx, time.Unix(int64(step.gone), 0), 10)
		require.NoError(t, err)
		for _, o := range []*owner{s.users["user"], s.groups["group"]} {
			require.Len(t, o.entries, step.entries, "after %d of 10", step.gone)
			require.Equal(t, step.purged, o.purged, "after %d of 10", step.gone)
		}
		tokens, err := s.List(ctx, pat.ListQuery{Owner: pat.Owner{UserID: "user"}, Limit: 10})
		require.NoError(t, err)
		require.Len(t, tokens, 10-step.gone)
	}
}

func TestALimitBelowOneSelectsNothing(t *testing.T) {
	ctx := context.Background()
	s := New()
	require.NoError(t, s.Insert(ctx, record(t, 1, "user", "group"), 0))
	for _, limit := range []int{0, -1} {
		n, err := s.Purge(ctx, time.Unix(2, 0), limit)
		require.NoError(t, err)
		require.Zero(t, n)
		tokens, err := s.List(ctx, pat.ListQuery{Owner: pat.Owner{UserID: "user"}, Limit: limit})
		require.NoError(t, err)
		require.Empty(t, tokens)
	}
}

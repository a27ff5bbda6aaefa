package outage

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/cache"
	"github.com/patkit/pat/internal/peer"
	"github.com/patkit/pat/internal/pgtest"
	"github.com/patkit/pat/postgres"
)

// service is this process, in which tokens are created and ended, straight at the database.
type service struct {
	t      *testing.T
	url    string
	pool   *pgxpool.Pool
	store  *postgres.Store
	issuer *pat.Issuer
}

func newService(t *testing.T, url string) *service {
	t.Helper()
	s := &service{t: t, url: url, pool: pgtest.PoolTo(t, url)}
	var err error
	s.store, err = postgres.New(t.Context(), s.pool)
	require.NoError(t, err)
	s.issuer, err = pat.NewIssuer(s.store, pat.Config{})
	require.NoError(t, err)
	return s
}

// create creates n tokens, each of another user and group.
func (s *service) create(n int) []pat.Issued {
	s.t.Helper()
	all := make([]pat.Issued, n)
	for i := range all {
		var err error
		owner := fmt.Sprintf("owner-%d-%d", time.Now().UnixNano(), i)
		all[i], err = s.issuer.Create(s.t.Context(), pat.CreateParams{UserID: owner, GroupID: owner, Name: owner})
		require.NoError(s.t, err)
	}
	return all
}

// verifier is another process, see [worker].
type verifier struct {
	t *testing.T
	*peer.Peer
}

// startVerifiers starts one for each target.
func startVerifiers(t *testing.T, targets ...target) []verifier {
	t.Helper()
	all := make([]verifier, len(targets))
	for i, to := range targets {
		text, err := inJSON(to)
		require.NoError(t, err)
		all[i] = verifier{t, peer.Start(t)}
		require.NoError(t, all[i].Open(text))
	}
	for _, v := range all {
		poll(t, "the feed is alive", func() bool { return v.stats().FeedAlive })
	}
	return all
}

// admit sees to it that each token is valid for the other process.
func (v verifier) admit(issued []pat.Issued) {
	v.t.Helper()
	for some := range slices.Chunk(issued, 500) { // a command is one line
		_, err := v.Ask("admit", values(some))
		require.NoError(v.t, err)
	}
}

// watch lets the other process verify tokens, over and over. They are valid at first.
func (v verifier) watch(issued []pat.Issued) {
	v.t.Helper()
	_, err := v.Ask("watch", values(issued))
	require.NoError(v.t, err)
}

func values(issued []pat.Issued) string {
	var all []string
	for _, one := range issued {
		all = append(all, one.Value.Reveal())
	}
	return strings.Join(all, " ")
}

func (v verifier) look() (seen []sight) {
	v.t.Helper()
	v.ask("look", &seen)
	return seen
}

func (v verifier) stop() (seen []sight) {
	v.t.Helper()
	v.ask("stop", &seen)
	return seen
}

func (v verifier) stats() (stats cache.Stats) {
	v.t.Helper()
	v.ask("stats", &stats)
	return stats
}

func (v verifier) ask(command string, to any) {
	v.t.Helper()
	answer, err := v.Ask(command, "")
	require.NoError(v.t, err)
	require.NoError(v.t, json.Unmarshal([]byte(answer), to))
}

// try is how long one try of a call of this process may take.
func try(ctx context.Context, call func(context.Context) error) error {
	const limit = time.Second / 2
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return call(bounded)
}

package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/peer"
	"github.com/patkit/pat/internal/testscale"
	"github.com/patkit/pat/sqlite"
)

// In each round the file is not there yet, and every process makes a token at once.
func TestProcessesOpenANewFileAtOnce(t *testing.T) {
	const processes = 8
	rounds := testscale.Rounds(t, 20, 400)
	peers := make([]*peer.Peer, processes)
	for i := range peers {
		peers[i] = peer.Start(t)
	}
	all := func(round int, command, argument string) (answers []string) {
		for _, p := range peers {
			require.NoError(t, p.Tell(command, argument))
		}
		for i, p := range peers {
			answer, err := p.Answer()
			assert.NoError(t, err, "round %d: %s in process %d", round, command, i)
			answers = append(answers, answer)
		}
		require.False(t, t.Failed())
		return answers
	}
	folder := t.TempDir()
	for round := range rounds {
		path := filepath.Join(folder, fmt.Sprint(round))
		all(round, "open", path)
		all(round, "create", "user")
		want, err := schema(path)
		require.NoError(t, err)
		for i, got := range all(round, "schema", path) {
			require.Equal(t, want, got, "round %d: the schema that process %d sees", round, i)
		}
		s, err := sqlite.Open(path)
		require.NoError(t, err, "round %d", round)
		tokens, err := s.List(t.Context(), pat.ListQuery{Owner: pat.Owner{UserID: "user"}, Limit: 100})
		require.NoError(t, err, "round %d", round)
		require.Len(t, tokens, processes, "round %d", round)
		require.NoError(t, s.Close(), "round %d", round)
	}
}

// schema returns, in one line, everything that is in a database but tokens, with the time at which each migration was
// applied.
func schema(path string) (text string, err error) {
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.QueryRowContext(ctx, "SELECT group_concat(line, '; ') FROM (SELECT ifnull(sql, name) AS line FROM sqlite_schema "+
		"UNION ALL SELECT version || ' at ' || applied_at FROM pat_schema ORDER BY line)").Scan(&text)
	return strings.Join(strings.Fields(text), " "), err
}

func TestStoresThatStartTogetherShareTheFile(t *testing.T) {
	for range 10 {
		path := filepath.Join(t.TempDir(), "pat.db")
		results := make(chan error)
		const stores = 8
		for range stores {
			go func() {
				s, err := sqlite.Open(path)
				if err == nil {
					err = s.Close()
				}
				results <- err
			}()
		}
		for range stores {
			require.NoError(t, <-results)
		}
	}
}

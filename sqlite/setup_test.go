package sqlite

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

var created = time.Date(2031, 3, 4, 5, 6, 7, 890_123_000, time.UTC)

func testStore(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path, WithBusyTimeout(1234*time.Millisecond))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func testRecord(t *testing.T) pat.Record {
	t.Helper()
	digest, err := pat.ParseDigest("sha256$$" + strings.Repeat("d", 32))
	require.NoError(t, err)
	scopes, err := pat.ParseScopes("read repo:write")
	require.NoError(t, err)
	return pat.Record{Digest: digest, Token: pat.Token{
		ID: "0199c0de-0000-7000-8000-000000000001", UserID: "user", GroupID: "group", Name: "name", Prefix: "abcdefABCDEF", Scopes: scopes,
		CreatedAt: created, UpdatedAt: created,
	}}
}

// borrowed returns the connections that calls borrow.
func borrowed(s *Store) []*session {
	return append(append([]*session{}, s.writer.stack...), s.readers.stack...)
}

// sessions returns every connection of a store.
func sessions(s *Store) []*session {
	if s.readers == s.writer {
		return s.writer.stack
	}
	all := borrowed(s)
	if s.keeper != nil {
		all = append(all, s.keeper.session)
	}
	return all
}

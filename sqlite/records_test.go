package sqlite_test

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/sqlite"
)

// filled has n tokens: living, revoked, rotated and used ones.
func filled(t *testing.T, s pat.Store, n int) {
	t.Helper()
	issuer, err := pat.NewIssuer(s, pat.Config{})
	require.NoError(t, err)
	for i := range n {
		issued, err := issuer.Create(t.Context(), pat.CreateParams{UserID: "user", GroupID: fmt.Sprint(i % 7), Name: "name"})
		require.NoError(t, err)
		switch i % 4 {
		case 1:
			_, err = issuer.Revoke(t.Context(), issued.Token.ID)
		case 2:
			_, err = issuer.Rotate(t.Context(), issued.Token.ID, pat.RotateParams{Grace: time.Hour})
		case 3:
			err = s.Touch(t.Context(), []pat.Use{{Prefix: issued.Token.Prefix, At: issued.Token.CreatedAt.Add(time.Hour)}})
		}
		require.NoError(t, err)
	}
}

func TestRecordsAreAllThatIsHeldInTheOrderOfTheirPrefixes(t *testing.T) {
	const pages = 2*500 + 1
	for _, n := range []int{0, 1, 400, pages - 1, pages} { // a fifth more are made by rotating
		s := inMemory(t)
		filled(t, s, n)
		last, found := "", 0
		for rec, err := range s.(*sqlite.Store).Records(t.Context()) {
			require.NoError(t, err)
			require.Greater(t, rec.Token.Prefix, last)
			last = rec.Token.Prefix
			found++
			held, err := s.FindByPrefix(t.Context(), last) // while the sequence is going on
			require.NoError(t, err)
			require.Equal(t, held, rec)
		}
		assert.Equal(t, n+(n+1)/4, found)
	}
}

func TestRecordsEndWithTheFirstError(t *testing.T) {
	errorsOf := func(ctx context.Context, s *sqlite.Store) (found int, errs []error) {
		for _, err := range s.Records(ctx) {
			if err != nil {
				errs = append(errs, err)
				continue
			}
			found++
		}
		return found, errs
	}
	path := filepath.Join(t.TempDir(), "pat.db")
	s := open(t, path)
	filled(t, s, 20)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	found, errs := errorsOf(ctx, s)
	assert.Zero(t, found)
	require.Len(t, errs, 1)
	require.ErrorIs(t, errs[0], context.Canceled)

	sqlite.Execute(t, path, "UPDATE pat_tokens SET digest = x'00' WHERE prefix = (SELECT prefix FROM pat_tokens ORDER BY prefix LIMIT 1 OFFSET 3)")
	found, errs = errorsOf(t.Context(), s)
	assert.Equal(t, 3, found)
	require.Len(t, errs, 1)
	require.ErrorIs(t, errs[0], pat.ErrCorrupt)

	sqlite.Execute(t, path, "DROP TABLE pat_tokens")
	_, errs = errorsOf(t.Context(), s)
	require.Len(t, errs, 1)

	require.NoError(t, s.Close())
	_, errs = errorsOf(t.Context(), s)
	require.Len(t, errs, 1)
	require.ErrorIs(t, errs[0], fs.ErrClosed)
}

func TestRecordsMayBeLeftEarly(t *testing.T) {
	s := inMemory(t)
	filled(t, s, 8)
	for _, err := range s.(*sqlite.Store).Records(t.Context()) {
		require.NoError(t, err)
		break
	}
	filled(t, s, 1) // the connection is free again
}

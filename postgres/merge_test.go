package postgres

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/pgtest"
	"github.com/patkit/pat/sqlite"
)

// source is a database that a service moves away from.
func source(t *testing.T) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(":memory:")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// mergeAll merges everything and checks that the two then hold the same.
func mergeAll(t *testing.T, to *Store, from *sqlite.Store) Merged {
	t.Helper()
	done, err := to.Merge(t.Context(), from.Records(t.Context()))
	require.NoError(t, err)
	total := 0
	for rec, err := range from.Records(t.Context()) {
		require.NoError(t, err)
		held, err := to.FindByPrefix(t.Context(), rec.Token.Prefix)
		require.NoError(t, err)
		require.Equal(t, rec, held)
		total++
	}
	require.Equal(t, total, done.Added+done.Changed+done.Same)
	return done
}

func TestMergeTakesOverEverythingAndThenWhatHasChanged(t *testing.T) {
	from, to := source(t), open(t, pgtest.Pool(t))
	issuer, err := pat.NewIssuer(from, pat.Config{})
	require.NoError(t, err)
	const n = batchSize + 100
	var tokens []pat.Token
	create := func() pat.Token {
		issued, err := issuer.Create(t.Context(), pat.CreateParams{UserID: "user", GroupID: fmt.Sprint(len(tokens) % 7), Name: "name"})
		require.NoError(t, err)
		return issued.Token
	}
	for range n {
		tokens = append(tokens, create())
	}
	assert.Equal(t, Merged{Added: n}, mergeAll(t, to, from))
	assert.Equal(t, Merged{Same: n}, mergeAll(t, to, from))

	for _, tok := range tokens[:10] {
		_, err := issuer.Revoke(t.Context(), tok.ID)
		require.NoError(t, err)
	}
	for _, tok := range tokens[10:20] { // changes the old one and adds another
		_, err := issuer.Rotate(t.Context(), tok.ID, pat.RotateParams{Grace: time.Hour})
		require.NoError(t, err)
	}
	for _, tok := range tokens[20:30] {
		require.NoError(t, from.Touch(t.Context(), []pat.Use{{Prefix: tok.Prefix, At: tok.CreatedAt.Add(time.Second)}}))
	}
	rec, err := from.FindByPrefix(t.Context(), tokens[30].Prefix)
	require.NoError(t, err)
	next, err := pat.ParseDigest("sha256$$another digest")
	require.NoError(t, err)
	_, err = from.ReplaceDigest(t.Context(), rec.Token.Prefix, rec.Digest, next)
	require.NoError(t, err)
	create()
	assert.Equal(t, Merged{Added: 11, Changed: 31, Same: n - 31}, mergeAll(t, to, from))
	assert.Equal(t, Merged{Same: n + 11}, mergeAll(t, to, from))
}

func TestMergeUndoesNoEnd(t *testing.T) {
	from, to := source(t), open(t, pgtest.Pool(t))
	begun := time.Now().UTC().Truncate(time.Second)
	later := func(minutes int) time.Time { return begun.Add(time.Duration(minutes) * time.Minute) }
	create := func() pat.Token {
		issuer, err := pat.NewIssuer(from, pat.Config{Now: func() time.Time { return begun }})
		require.NoError(t, err)
		issued, err := issuer.Create(t.Context(), pat.CreateParams{UserID: "user", GroupID: "group", Name: "name"})
		require.NoError(t, err)
		return issued.Token
	}
	successor := func(old pat.Token) pat.Record {
		next := create()
		rec, err := from.FindByPrefix(t.Context(), next.Prefix)
		require.NoError(t, err)
		rec.Token.ID = rec.Token.ID[:len(rec.Token.ID)-4] + "ffff"
		rec.Token.Prefix = "Z" + rec.Token.Prefix[1:]
		rec.Token.RotatedFrom = old.ID
		return rec
	}
	revoke := func(s pat.Store, tok pat.Token, at time.Time) {
		_, _, err := s.Revoke(t.Context(), tok.ID, at)
		require.NoError(t, err)
	}
	rotate := func(s pat.Store, tok pat.Token, end time.Time) {
		require.NoError(t, s.Rotate(t.Context(), pat.Rotation{OldID: tok.ID, At: later(1), End: end, New: successor(tok)}))
	}
	for name, test := range map[string]struct {
		there, here func(tok pat.Token)
		want        func(t *testing.T, tok pat.Token)
	}{
		"revoked here alone": {
			here: func(tok pat.Token) { revoke(to, tok, later(5)) },
			want: func(t *testing.T, tok pat.Token) { assert.Equal(t, later(5), tok.RevokedAt) },
		},
		"revoked on both sides, there first": {
			here:  func(tok pat.Token) { revoke(to, tok, later(5)) },
			there: func(tok pat.Token) { revoke(from, tok, later(3)) },
			want:  func(t *testing.T, tok pat.Token) { assert.Equal(t, later(3), tok.RevokedAt) },
		},
		"revoked on both sides, here first": {
			here:  func(tok pat.Token) { revoke(to, tok, later(3)) },
			there: func(tok pat.Token) { revoke(from, tok, later(5)) },
			want:  func(t *testing.T, tok pat.Token) { assert.Equal(t, later(3), tok.RevokedAt) },
		},
		"rotated here, so that it ends early": {
			here: func(tok pat.Token) { rotate(to, tok, later(9)) },
			want: func(t *testing.T, tok pat.Token) {
				assert.Equal(t, later(9), tok.ExpiresAt)
				assert.NotEmpty(t, tok.RotatedTo)
			},
		},
		"rotated here and revoked there": {
			here:  func(tok pat.Token) { rotate(to, tok, later(9)) },
			there: func(tok pat.Token) { revoke(from, tok, later(2)) },
			want: func(t *testing.T, tok pat.Token) {
				assert.Equal(t, later(2), tok.RevokedAt)
				assert.NotEmpty(t, tok.RotatedTo)
			},
		},
		"used later here, with another digest since": {
			here: func(tok pat.Token) {
				require.NoError(t, to.Touch(t.Context(), []pat.Use{{Prefix: tok.Prefix, At: later(7)}}))
				rec, err := to.FindByPrefix(t.Context(), tok.Prefix)
				require.NoError(t, err)
				replaced, err := to.ReplaceDigest(t.Context(), tok.Prefix, rec.Digest, testRecord(7).Digest)
				require.NoError(t, err)
				require.True(t, replaced)
			},
			want: func(t *testing.T, tok pat.Token) {
				rec, err := to.FindByPrefix(t.Context(), tok.Prefix)
				require.NoError(t, err)
				assert.Equal(t, testRecord(7).Digest, rec.Digest)
			},
		},
		"used later here": {
			here: func(tok pat.Token) {
				require.NoError(t, to.Touch(t.Context(), []pat.Use{{Prefix: tok.Prefix, At: later(7)}}))
			},
			there: func(tok pat.Token) {
				require.NoError(t, from.Touch(t.Context(), []pat.Use{{Prefix: tok.Prefix, At: later(6)}}))
			},
			want: func(t *testing.T, tok pat.Token) { assert.Equal(t, later(7), tok.LastUsedAt) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			tok := create()
			_, err := to.Merge(t.Context(), from.Records(t.Context()))
			require.NoError(t, err)
			for _, change := range []func(pat.Token){test.here, test.there} {
				if change != nil {
					change(tok)
				}
			}
			_, err = to.Merge(t.Context(), from.Records(t.Context()))
			require.NoError(t, err)
			merged, err := to.FindByID(t.Context(), tok.ID)
			require.NoError(t, err)
			test.want(t, merged)
			assert.False(t, merged.UpdatedAt.Before(tok.UpdatedAt))
		})
	}
}

func TestMergeRefusesAnotherTokensIDOrPrefix(t *testing.T) {
	from, to := source(t), open(t, pgtest.Pool(t))
	records := newRecords(t, from, 3)
	for name, change := range map[string]func(*pat.Record){
		"id":                                   func(r *pat.Record) { r.Token.Prefix = "another" },
		"prefix":                               func(r *pat.Record) { r.Token.ID = "0199c0de-0000-7000-8000-00000000f0e1" },
		"id and prefix, and is another user's": func(r *pat.Record) { r.Token.UserID = "mallory" },
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, to.Insert(t.Context(), records[0], 0))
			other := records[0]
			change(&other)
			done, err := to.Merge(t.Context(), sequence(records[1], other, records[2]))
			require.ErrorIs(t, err, pat.ErrExists)
			assert.Zero(t, done)
			_, err = to.FindByPrefix(t.Context(), records[1].Token.Prefix)
			assert.ErrorIs(t, err, pat.ErrNotFound, "nothing of the batch")
		})
	}
}

func TestMergeStopsAtAnErrorOfTheRecords(t *testing.T) {
	from, to := source(t), open(t, pgtest.Pool(t))
	records := newRecords(t, from, batchSize+2)
	errLast := errors.New("the last one")
	done, err := to.Merge(t.Context(), func(yield func(pat.Record, error) bool) {
		for _, rec := range records {
			if !yield(rec, nil) {
				return
			}
		}
		yield(pat.Record{}, errLast)
	})
	require.ErrorIs(t, err, errLast)
	assert.Equal(t, Merged{Added: batchSize}, done)

	_, err = to.Merge(t.Context(), sequence(pat.Record{}))
	require.ErrorIs(t, err, pat.ErrInvalidArgument)
}

func newRecords(t *testing.T, s *sqlite.Store, n int) []pat.Record {
	t.Helper()
	issuer, err := pat.NewIssuer(s, pat.Config{})
	require.NoError(t, err)
	for range n {
		_, err := issuer.Create(t.Context(), pat.CreateParams{UserID: "user", GroupID: "group", Name: "name"})
		require.NoError(t, err)
	}
	records := make(map[string]pat.Record)
	for rec, err := range s.Records(t.Context()) {
		require.NoError(t, err)
		records[rec.Token.Prefix] = rec
	}
	return slices.Collect(maps.Values(records))
}

func sequence(records ...pat.Record) iter.Seq2[pat.Record, error] {
	return func(yield func(pat.Record, error) bool) {
		for _, rec := range records {
			if !yield(rec, nil) {
				return
			}
		}
	}
}

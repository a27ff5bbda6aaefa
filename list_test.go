package pat_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

func TestListPagesThroughEverythingOnce(t *testing.T) {
	h := newHouse(t, pat.Config{})
	var want []string
	for n := range 25 {
		if n%3 == 0 {
			h.clock.Advance(time.Second) // others are created at the same instant
		}
		tok, _ := h.create(t)
		want = append([]string{tok.ID}, want...)
	}
	h.create(t, func(p *pat.CreateParams) { p.GroupID = "2" })
	for _, size := range []int{1, 2, 7, 24, 25, 26, 0} {
		var got []string
		params := pat.ListParams{GroupID: "1", Limit: size}
		for {
			page, err := h.List(t.Context(), params)
			require.NoError(t, err)
			for _, tok := range page.Tokens {
				got = append(got, tok.ID)
			}
			if page.NextCursor == "" {
				break
			}
			require.Len(t, page.Tokens, size)
			require.Less(t, len(got), len(want), "the last page leads nowhere")
			params.Cursor = page.NextCursor
		}
		assert.Equal(t, want, got, "with pages of %d", size)
	}
}

func TestListShowsWhatItIsAskedFor(t *testing.T) {
	h := newHouse(t, pat.Config{})
	alice1, _ := h.create(t)
	alice2, _ := h.create(t, func(p *pat.CreateParams) { p.GroupID = "2" })
	bob1, _ := h.create(t, func(p *pat.CreateParams) { p.UserID = "bob" })
	short, _ := h.create(t, func(p *pat.CreateParams) { p.Lifetime = time.Minute })
	revoked, _ := h.create(t)
	_, err := h.Revoke(t.Context(), revoked.ID)
	require.NoError(t, err)
	h.clock.Advance(time.Hour) // short is expired now
	for name, c := range map[string]struct {
		params pat.ListParams
		want   []pat.Token
	}{
		"a group":                  {pat.ListParams{GroupID: "1"}, []pat.Token{alice1, bob1, short}},
		"a user":                   {pat.ListParams{UserID: "alice"}, []pat.Token{alice1, alice2, short}},
		"a user in a group":        {pat.ListParams{UserID: "bob", GroupID: "1"}, []pat.Token{bob1}},
		"nobody":                   {pat.ListParams{UserID: "carol"}, nil},
		"a user in another group":  {pat.ListParams{UserID: "bob", GroupID: "2"}, nil},
		"revoked ones, on request": {pat.ListParams{GroupID: "1", IncludeRevoked: true}, []pat.Token{alice1, bob1, short, revoked}},
	} {
		t.Run(name, func(t *testing.T) {
			page, err := h.List(t.Context(), c.params)
			require.NoError(t, err)
			assert.Empty(t, page.NextCursor)
			var got, want []string
			for _, tok := range page.Tokens {
				got = append(got, tok.ID)
			}
			for _, tok := range c.want {
				want = append(want, tok.ID)
			}
			assert.ElementsMatch(t, want, got)
		})
	}
}

func TestListRefusesBadArguments(t *testing.T) {
	h := newHouse(t, pat.Config{})
	wrongLength := base64.RawURLEncoding.EncodeToString(make([]byte, 23))
	for name, c := range map[string]struct {
		params   pat.ListParams
		argument string
	}{
		"everything":                   {pat.ListParams{}, "ListParams"},
		"a user that nobody can be":    {pat.ListParams{UserID: "a\x00"}, "ListParams.UserID"},
		"a group that none can be":     {pat.ListParams{UserID: "a", GroupID: "\xff"}, "ListParams.GroupID"},
		"a negative limit":             {pat.ListParams{UserID: "a", Limit: -1}, "ListParams.Limit"},
		"a limit above the maximum":    {pat.ListParams{UserID: "a", Limit: 1001}, "ListParams.Limit"},
		"a cursor that is no base64":   {pat.ListParams{UserID: "a", Cursor: "!"}, "ListParams.Cursor"},
		"a cursor of the wrong length": {pat.ListParams{UserID: "a", Cursor: wrongLength}, "ListParams.Cursor"},
		"a cursor with a line break":   {pat.ListParams{UserID: "a", Cursor: strings.Repeat("A", 16) + "\n" + strings.Repeat("A", 16)}, "ListParams.Cursor"},
		"a cursor of the right length, with line breaks": {
			pat.ListParams{UserID: "a", Cursor: strings.Repeat("A", 28) + "\n\n\n\n"}, "ListParams.Cursor",
		},
		"a cursor with something behind": {pat.ListParams{UserID: "a", Cursor: strings.Repeat("A", 32) + "="}, "ListParams.Cursor"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.List(t.Context(), c.params)
			requireArgument(t, err, c.argument)
		})
	}
	_, err := h.List(t.Context(), pat.ListParams{UserID: "a", Limit: pat.MaxPageSize})
	require.NoError(t, err)
}

// FuzzListCursor compares the page behind any cursor with what lies behind its place by a plain comparison.
func FuzzListCursor(f *testing.F) {
	h := newHouse(f, pat.Config{})
	for range 5 {
		h.create(f)
		h.create(f, func(p *pat.CreateParams) { p.GroupID = "2" })
		h.clock.Advance(time.Hour)
	}
	all, err := h.List(f.Context(), pat.ListParams{GroupID: "1"})
	require.NoError(f, err)
	for limit := range 4 {
		page, err := h.List(f.Context(), pat.ListParams{GroupID: "1", Limit: limit + 1})
		require.NoError(f, err)
		f.Add(page.NextCursor)
	}
	for _, seed := range []string{"", "_", strings.Repeat("_", 32), strings.Repeat("A", 32), strings.Repeat("A", 31) + "=", "f" + strings.Repeat("_", 31)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		place, err := base64.RawURLEncoding.DecodeString(cursor)
		specified := cursor == "" || err == nil && len(place) == 24 && base64.RawURLEncoding.EncodeToString(place) == cursor
		page, err := h.List(t.Context(), pat.ListParams{GroupID: "1", Cursor: cursor})
		if !specified {
			requireArgument(t, err, "ListParams.Cursor")
			return
		}
		require.NoError(t, err)
		want := []pat.Token{}
		for _, tok := range all.Tokens {
			if cursor == "" || isBehind(tok, place) {
				want = append(want, tok)
			}
		}
		if !slices.Equal(page.Tokens, want) {
			t.Fatalf("%d tokens instead of %d", len(page.Tokens), len(want))
		}
	})
}

// isBehind compares a token with a cursor's microseconds and id.
func isBehind(tok pat.Token, place []byte) bool {
	micros := int64(binary.BigEndian.Uint64(place))
	id := uuid.MustParse(tok.ID)
	return tok.CreatedAt.UnixMicro() < micros || tok.CreatedAt.UnixMicro() == micros && bytes.Compare(id[:], place[8:]) < 0
}

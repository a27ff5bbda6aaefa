package memory

import (
	"context"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

func TestStoreCopiesTheStringsItIsGiven(t *testing.T) {
	ctx := context.Background()
	s := New()
	buffer := []byte("id-1prefix-1user-1group-1")
	text := unsafe.String(&buffer[0], len(buffer))
	rec := record(t, 1, text[12:18], text[18:])
	rec.Token.ID, rec.Token.Prefix = text[:4], text[4:12]
	require.NoError(t, s.Insert(ctx, rec, 0))
	clear(buffer)
	tok, err := s.FindByID(ctx, "id-1")
	require.NoError(t, err)
	require.Equal(t, []string{"id-1", "prefix-1", "user-1", "group-1"}, []string{tok.ID, tok.Prefix, tok.UserID, tok.GroupID})
	tokens, err := s.List(ctx, pat.ListQuery{Owner: pat.Owner{UserID: "user-1", GroupID: "group-1"}, Limit: 1})
	require.NoError(t, err)
	require.Len(t, tokens, 1)
}

package tokenrow

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

func TestEveryOwnerHasAKindOfList(t *testing.T) {
	var kinds []ListKind
	for _, owner := range []pat.Owner{{UserID: "user"}, {GroupID: "group"}, {UserID: "user", GroupID: "group"}} {
		kinds = append(kinds, KindOf(owner, false), KindOf(owner, true))
	}
	assert.Equal(t, ListKinds(), kinds)
}

func TestAListGoesOnBehindAPosition(t *testing.T) {
	at := time.Date(2031, 3, 4, 5, 6, 7, 0, time.UTC)
	createdAt, id, err := Behind(pat.Position{CreatedAt: at, ID: oneID})
	require.NoError(t, err)
	oneBytes, _ := EncodeID(oneID)
	assert.Equal(t, at, createdAt)
	assert.Equal(t, oneBytes, id)

	createdAt, id, err = Behind(pat.Position{})
	require.NoError(t, err)
	assert.Greater(t, createdAt.UnixMicro(), int64(LatestTime), "before everything")
	assert.Len(t, id, 16)

	for _, id := range []string{"", "x", "0199C0DE-0000-7000-8000-000000000001"} {
		_, _, err = Behind(pat.Position{CreatedAt: at, ID: id})
		assertArgument(t, "ListQuery.After.ID", idRule, err)
	}
}

func TestARowThatCannotBeReadDoesNotKeepTheOthersAway(t *testing.T) {
	var tokens Tokens
	first, second := errors.New("first"), errors.New("second")
	rec := full(t)
	tokens.Add(rec, nil)
	tokens.Add(pat.Record{}, first)
	tokens.Add(pat.Record{}, second)
	tokens.Add(rec, nil)
	assert.Equal(t, Tokens{Read: []pat.Token{rec.Token, rec.Token}, Corrupt: first}, tokens)
}

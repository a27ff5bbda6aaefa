package pat_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

func TestRotateMakesASuccessorAndKeepsTheLineage(t *testing.T) {
	h := newHouse(t, pat.Config{Scopes: pat.PublicFullScopes()})
	old, oldValue := h.create(t, func(p *pat.CreateParams) { p.Scopes = []string{"full_scope"}; p.Name = "CI" })
	h.clock.Advance(time.Hour)
	issued, err := h.Rotate(t.Context(), old.ID, pat.RotateParams{Lifetime: 24 * time.Hour})
	require.NoError(t, err)
	next := issued.Token
	assert.Equal(t, []any{old.Name, old.Scopes, old.UserID, old.GroupID}, []any{next.Name, next.Scopes, next.UserID, next.GroupID})
	assert.NotEqual(t, old.ID, next.ID)
	assert.NotEqual(t, old.Prefix, next.Prefix)
	assert.Equal(t, h.clock.stamp(), next.CreatedAt)
	assert.Equal(t, h.clock.stamp().Add(24*time.Hour), next.ExpiresAt)
	assert.Equal(t, old.ID, next.RotatedFrom)

	ended, err := h.Get(t.Context(), old.ID)
	require.NoError(t, err)
	assert.Equal(t, next.ID, ended.RotatedTo)
	assert.Equal(t, h.clock.stamp(), ended.RevokedAt, "without grace the old token ends at once")
	_, err = h.Verify(t.Context(), oldValue)
	requireReason(t, err, pat.ErrRevoked)
	verified, err := h.Verify(t.Context(), issued.Value.Reveal())
	require.NoError(t, err)
	assert.Equal(t, next, verified)
}

func TestRotateAsksForAPredecessorOnlyWhereThereIsOne(t *testing.T) {
	h := newHouse(t, pat.Config{})
	tok, _ := h.create(t)
	h.faults.Heal() // and count from here
	next, err := h.Rotate(t.Context(), tok.ID, pat.RotateParams{})
	require.NoError(t, err)
	assert.Equal(t, []string{"FindByID", "Rotate"}, h.faults.Calls())
	h.faults.Heal()
	_, err = h.Rotate(t.Context(), next.Token.ID, pat.RotateParams{})
	require.NoError(t, err)
	assert.Equal(t, []string{"FindByID", "FindByID", "Rotate"}, h.faults.Calls())
}

func TestRotateWithGraceKeepsTheOldTokenForThatLong(t *testing.T) {
	h := newHouse(t, pat.Config{})
	old, oldValue := h.create(t)
	issued, err := h.Rotate(t.Context(), old.ID, pat.RotateParams{Grace: time.Hour})
	require.NoError(t, err)
	h.clock.Advance(time.Hour - time.Microsecond)
	_, err = h.Verify(t.Context(), oldValue)
	require.NoError(t, err)
	h.clock.Advance(time.Microsecond)
	_, err = h.Verify(t.Context(), oldValue)
	requireReason(t, err, pat.ErrExpired)
	_, err = h.Verify(t.Context(), issued.Value.Reveal())
	require.NoError(t, err)
}

func TestGraceNeverProlongsALife(t *testing.T) {
	h := newHouse(t, pat.Config{})
	old, oldValue := h.create(t, func(p *pat.CreateParams) { p.Lifetime = time.Hour })
	_, err := h.Rotate(t.Context(), old.ID, pat.RotateParams{Grace: 48 * time.Hour})
	require.NoError(t, err)
	after, err := h.Get(t.Context(), old.ID)
	require.NoError(t, err)
	assert.Equal(t, old.ExpiresAt, after.ExpiresAt)
	h.clock.Advance(time.Hour)
	_, err = h.Verify(t.Context(), oldValue)
	requireReason(t, err, pat.ErrExpired)
}

func TestGraceGivesAnEndToATokenThatHadNone(t *testing.T) {
	h := newHouse(t, pat.Config{Lifetime: pat.LifetimePolicy{AllowNoExpiry: true}})
	old, _ := h.create(t, func(p *pat.CreateParams) { p.Lifetime = pat.NoExpiry })
	_, err := h.Rotate(t.Context(), old.ID, pat.RotateParams{Grace: time.Hour, Lifetime: pat.NoExpiry})
	require.NoError(t, err)
	after, err := h.Get(t.Context(), old.ID)
	require.NoError(t, err)
	assert.Equal(t, h.clock.stamp().Add(time.Hour), after.ExpiresAt)
}

func TestWhatHasEndedCannotBeRotatedBackToLife(t *testing.T) {
	h := newHouse(t, pat.Config{})
	revoked, _ := h.create(t)
	_, err := h.Revoke(t.Context(), revoked.ID)
	require.NoError(t, err)
	expired, _ := h.create(t, func(p *pat.CreateParams) { p.Lifetime = time.Hour })
	rotated, _ := h.create(t)
	_, err = h.Rotate(t.Context(), rotated.ID, pat.RotateParams{Grace: 48 * time.Hour})
	require.NoError(t, err)
	h.clock.Advance(time.Hour)
	for name, c := range map[string]struct {
		id   string
		want error
	}{
		"revoked": {revoked.ID, pat.ErrRevoked},
		"expired": {expired.ID, pat.ErrExpired},
		"rotated": {rotated.ID, pat.ErrRotated},
		"absent":  {uuid.NewString(), pat.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			page, err := h.List(t.Context(), pat.ListParams{GroupID: "1", IncludeRevoked: true})
			require.NoError(t, err)
			issued, err := h.Rotate(t.Context(), c.id, pat.RotateParams{})
			require.ErrorIs(t, err, c.want)
			assert.Empty(t, issued.Value.Reveal())
			after, err := h.List(t.Context(), pat.ListParams{GroupID: "1", IncludeRevoked: true})
			require.NoError(t, err)
			assert.Equal(t, page, after, "nothing has changed")
		})
	}
}

func TestRotateRefusesBadArguments(t *testing.T) {
	h := newHouse(t, pat.Config{})
	tok, value := h.create(t)
	for argument, params := range map[string]pat.RotateParams{
		"RotateParams.Grace":    {Grace: -1},
		"RotateParams.Lifetime": {Lifetime: 2000 * 24 * time.Hour},
	} {
		_, err := h.Rotate(t.Context(), tok.ID, params)
		requireArgument(t, err, argument)
	}
	_, err := h.Verify(t.Context(), value)
	require.NoError(t, err)
}

func TestRotationIsPossibleAtTheLimitAndTakesNoPlace(t *testing.T) {
	h := newHouse(t, pat.Config{GroupLimit: 2})
	h.create(t)
	tok, _ := h.create(t)
	for range 3 {
		issued, err := h.Rotate(t.Context(), tok.ID, pat.RotateParams{Grace: time.Hour})
		require.NoError(t, err)
		_, err = h.Create(t.Context(), pat.CreateParams{UserID: "a", GroupID: "1", Name: "n"})
		require.ErrorIs(t, err, pat.ErrLimitReached)
		tok = issued.Token
		h.clock.Advance(time.Hour)
	}
	_, err := h.Revoke(t.Context(), tok.ID)
	require.NoError(t, err)
	h.create(t)
}

// Without this, a chain of rotations keeps any number of tokens alive beyond the limit.
func TestATokenWaitsForItsPredecessorsGraceToEnd(t *testing.T) {
	h := newHouse(t, pat.Config{GroupLimit: 1})
	first, _ := h.create(t)
	rotate := func(id string, grace time.Duration) (pat.Token, error) {
		issued, err := h.Rotate(t.Context(), id, pat.RotateParams{Grace: grace})
		return issued.Token, err
	}
	second, err := rotate(first.ID, time.Hour)
	require.NoError(t, err)
	for _, grace := range []time.Duration{0, time.Minute} {
		_, err = rotate(second.ID, grace)
		require.ErrorIs(t, err, pat.ErrInGrace)
	}
	h.clock.Advance(time.Hour)
	third, err := rotate(second.ID, time.Hour)
	require.NoError(t, err, "the grace has ended")

	_, err = h.Revoke(t.Context(), second.ID)
	require.NoError(t, err)
	fourth, err := rotate(third.ID, 0)
	require.NoError(t, err, "the predecessor was revoked")

	h.clock.Advance(time.Hour)
	_, err = h.Purge(t.Context(), h.clock.Now())
	require.NoError(t, err)
	_, err = h.Get(t.Context(), third.ID)
	require.ErrorIs(t, err, pat.ErrNotFound)
	_, err = rotate(fourth.ID, 0)
	require.NoError(t, err, "the predecessor was purged")
}

func TestRotateIsAFaultWhereThePredecessorCannotBeRead(t *testing.T) {
	h := newHouse(t, pat.Config{})
	first, _ := h.create(t)
	second, err := h.Rotate(t.Context(), first.ID, pat.RotateParams{})
	require.NoError(t, err)
	h.store.Store = oneUnreadable{h.store.Store, first.ID}
	_, err = h.Rotate(t.Context(), second.Token.ID, pat.RotateParams{})
	require.ErrorIs(t, err, errDown)
}

// oneUnreadable is a store that can't read one token.
type oneUnreadable struct {
	pat.Store
	id string
}

func (s oneUnreadable) FindByID(ctx context.Context, id string) (pat.Token, error) {
	if id == s.id {
		return pat.Token{}, errDown
	}
	return s.Store.FindByID(ctx, id)
}

func TestOfManyRotationsOneWins(t *testing.T) {
	h := newHouse(t, pat.Config{})
	tok, _ := h.create(t)
	var wg sync.WaitGroup
	results := make(chan error, 20)
	for range cap(results) {
		wg.Go(func() {
			_, err := h.Rotate(t.Context(), tok.ID, pat.RotateParams{Grace: time.Hour})
			results <- err
		})
	}
	wg.Wait()
	close(results)
	won := 0
	for err := range results {
		if err == nil {
			won++
			continue
		}
		require.ErrorIs(t, err, pat.ErrRotated)
	}
	assert.Equal(t, 1, won)
}

func TestRotateHandsOnTheStoresError(t *testing.T) {
	h := newHouse(t, pat.Config{})
	tok, value := h.create(t)
	h.store.Store = rotateFails{h.store.Store}
	issued, err := h.Rotate(t.Context(), tok.ID, pat.RotateParams{})
	require.ErrorIs(t, err, errDown)
	assert.Empty(t, issued.Value.Reveal())
	_, err = h.Verify(t.Context(), value)
	require.NoError(t, err, "the old token is not ended before there is a new one")
}

// rotateFails is a store that can be read and not be rotated in.
type rotateFails struct{ pat.Store }

func (rotateFails) Rotate(context.Context, pat.Rotation) error {
	return fmt.Errorf("wrapped: %w", errDown)
}

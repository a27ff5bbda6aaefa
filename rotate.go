package pat

import (
	"context"
	"errors"
	"time"
)

// RotateParams says how to rotate.
type RotateParams struct {
	// Lifetime is how long the new token lives. Zero means the policy's default, whatever the old one's was; see also
	// [NoExpiry].
	Lifetime time.Duration
	// Grace is how long the old token stays valid beside the new one, so that an answer that gets lost on its way
	// locks nobody out. It never prolongs the old token's life. Zero revokes it at once.
	Grace time.Duration
}

// Rotate makes a new token with the name, scopes and owner of the old one, and ends the old one, in one step. It is
// possible at the group's limit: the new token takes the old one's place, which counts until its grace has ended.
//
// A token that is revoked, expired or rotated already can't be rotated: the error is [ErrRevoked], [ErrExpired] or
// [ErrRotated]; the first two match [ErrInvalidToken] as well. Nor can one whose own predecessor is still in its grace
// period, which is [ErrInGrace]: a chain of rotations would otherwise keep any number of tokens alive beyond the
// limit. Of several callers who rotate a token at once, one succeeds. Further errors are [ArgumentError],
// [ErrNotFound], that of ctx, and faults of the store.
func (i *Issuer) Rotate(ctx context.Context, id string, params RotateParams) (Issued, error) {
	if err := i.begin(ctx, "rotate"); err != nil {
		return Issued{}, err
	}
	id, err := parseID(id)
	if err != nil {
		return Issued{}, err
	}
	if params.Grace < 0 {
		return Issued{}, invalid("RotateParams.Grace", "must not be negative")
	}
	now := canonicalTime(i.now())
	expires, err := i.lifetime.expiry(now, params.Lifetime, "RotateParams.Lifetime")
	if err != nil {
		return Issued{}, err
	}
	old, err := i.find(ctx, id)
	if err != nil {
		return Issued{}, fault("rotate", err)
	}
	if err := i.checkPredecessor(ctx, old, now); err != nil {
		return Issued{}, err
	}
	// The store looks at the old token again, in the transaction that ends it. Owner, name and scopes never change.
	tok := Token{
		UserID: old.UserID, GroupID: old.GroupID, Name: old.Name, Scopes: old.Scopes,
		CreatedAt: now, UpdatedAt: now, ExpiresAt: expires, RotatedFrom: old.ID,
	}
	issued, err := i.issue("rotate", tok, func(rec Record) error {
		rotation := Rotation{OldID: id, At: now, End: canonicalTime(now.Add(params.Grace)), New: rec}
		return insist(ctx, func() error { return i.store.Rotate(ctx, rotation) })
	})
	if err == nil {
		emit(ctx, i.onEvent, Event{Type: EventRotated, Time: now, SuccessorID: issued.Token.ID}, &old)
	}
	return issued, err
}

// checkPredecessor needs no transaction with the rotation: a token that has ended never comes back.
func (i *Issuer) checkPredecessor(ctx context.Context, old Token, now time.Time) error {
	if old.RotatedFrom == "" {
		return nil
	}
	predecessor, err := i.find(ctx, old.RotatedFrom)
	switch {
	case errors.Is(err, ErrNotFound): // purged
		return nil
	case err != nil:
		return fault("rotate", err)
	case !predecessor.Revoked() && !predecessor.Expired(now):
		return fault("rotate", ErrInGrace)
	}
	return nil
}

package pat

import (
	"context"
	"errors"
	"fmt"
)

// Verifier says whether a presented value is a valid token. It is safe for concurrent use. Make it with [NewVerifier],
// and Close it before the process ends.
type Verifier struct {
	store Store
	*settings
	behind *writeBehind
}

// NewVerifier returns a Verifier over the store. A nil store and a Config that contradicts itself are an
// [ArgumentError] that names the field.
func NewVerifier(store Store, cfg Config) (*Verifier, error) {
	s, err := cfg.resolve(store)
	if err != nil {
		return nil, err
	}
	return &Verifier{store: store, settings: s, behind: newWriteBehind(store, s)}, nil
}

// Verify returns the token that value is the value of, if it is valid now: known, unrevoked, unexpired, of an active
// owner.
//
// If it is not, the error is [ErrInvalidToken] with a reason below it. If Verify could not find out, because ctx is
// done, the store or Config.OwnerActive failed, or a record is corrupt, the error is any other one, and
// the caller should answer 500, never 401. The token is the zero Token with every error. Give ctx a deadline: a store
// across a network may wait for as long as that allows.
//
// The reasons are for logs and for callers that proved possession; [ErrMalformed], [ErrUnknown] and
// [ErrWrongSecret] must look the same to a client.
//
// The use is recorded in the background, at most once per Config.LastUsedInterval; the LastUsedAt returned is the
// time of an earlier use. Verify itself writes nothing.
func (v *Verifier) Verify(ctx context.Context, value string) (Token, error) {
	if v == nil || v.settings == nil {
		return Token{}, errNotMade
	}
	key, native := parsePrefix(value)
	if !native {
		var ok bool
		if key, ok = v.importedKey(value); !ok {
			v.reportDenied(ctx, &Token{}, ErrMalformed)
			return Token{}, ErrMalformed
		}
	}
	if err := ctx.Err(); err != nil {
		err = verifyFault(err)
		v.reportDenied(ctx, &Token{}, err)
		return Token{}, err
	}
	// The record is large, and every copy of it is felt. So it is taken here, and the steps below only look at it.
	rec, err := v.store.FindByPrefix(ctx, key)
	if err != nil || rec.Token.Prefix != key || !isWhole(&rec.Token) || rec.Digest.IsZero() {
		err = v.notFound(err, value)
		v.reportDenied(ctx, &Token{}, err)
		return Token{}, err
	}
	// Plain digests are tried right here: nearly all are, and each call that is saved on this way is felt.
	if !isPlain(rec.Digest) {
		err = v.prove(ctx, &rec, native, value)
	} else if !matchPlain(rec.Digest, value) {
		err = ErrWrongSecret
	}
	if err != nil {
		v.reportDenied(ctx, &rec.Token, err)
		return Token{}, err
	}
	now := v.now()
	switch {
	case isRevoked(&rec.Token):
		err = ErrRevoked
	case isExpired(&rec.Token, now):
		err = ErrExpired
	case v.ownerActive != nil:
		err = v.askForOwner(ctx, &rec.Token)
	}
	if err != nil {
		v.reportDenied(ctx, &rec.Token, err)
		return Token{}, err
	}
	if due(rec.Token.LastUsedAt, now, v.interval) {
		v.behind.noteUse(rec.Token.Prefix, now)
	}
	if !v.hashers.isCurrent(rec.Digest) {
		v.behind.noteDigest(rec.Token.Prefix, rec.Digest, v.hashers.digest(value))
	}
	if v.onEvent != nil { // asked here too, because making an Event costs more than the question
		emit(ctx, v.onEvent, Event{Type: EventVerified, Time: now}, &rec.Token)
	}
	return rec.Token, nil
}

// notFound says why the store has returned no record that can be this one. A nil err means that it has returned
// another.
func (v *Verifier) notFound(err error, value string) error {
	switch {
	case err == nil:
		return verifyFault(ErrCorrupt)
	case !errors.Is(err, ErrNotFound):
		return verifyFault(err)
	}
	// The same work as for a wrong secret, so that the time taken does not tell which prefixes exist. The slow hashers
	// of imported tokens are left out: their look-up keys are public, and a slow hash for every made-up value would be
	// a gift to a flood.
	v.hashers.matchDummy(value)
	return ErrUnknown
}

// prove compares the whole value with the digest of its record, whichever algorithm that has.
func (v *Verifier) prove(ctx context.Context, rec *Record, native bool, value string) error {
	match, known, err := v.hashers.matchFast(rec.Digest, value)
	switch {
	case !known && native && v.hashers.slow.knows(rec.Digest):
		// A value of this library's form that hits an imported key. The slow hash is not run: it can't match.
		v.hashers.matchDummy(value)
	case !known:
		match, err = v.hashers.slow.match(ctx, rec.Digest, value)
	}
	if err != nil {
		return verifyFault(err)
	}
	if !match {
		return ErrWrongSecret
	}
	return nil
}

// Recognizes reports whether a value has the form of a token, this library's or that of the imported ones. It asks no
// store: a value that it recognizes need not be a token, but one that it does not is none. It tells tokens from other
// credentials.
func (v *Verifier) Recognizes(value string) bool {
	if v == nil || v.settings == nil {
		return false
	}
	_, ok := parsePrefix(value)
	if !ok {
		_, ok = v.importedKey(value)
	}
	return ok
}

// importedKey returns the look-up key of a value that has not this library's form.
func (v *Verifier) importedKey(value string) (string, bool) {
	if v.lookupKey == nil || value == "" || len(value) > maxImportedValueLength {
		return "", false
	}
	key, ok := v.lookupKey(value)
	return key, ok && isLookupKey(key)
}

// askForOwner decides about a token that is valid in itself.
func (v *Verifier) askForOwner(ctx context.Context, tok *Token) error {
	active, err := v.ownerActive(ctx, tok.UserID, tok.GroupID)
	if err != nil {
		return verifyFault(fmt.Errorf("owner active: %w", err))
	}
	if !active {
		return ErrOwnerInactive
	}
	return nil
}

func (v *Verifier) reportDenied(ctx context.Context, tok *Token, err error) {
	if v.onEvent != nil {
		emit(ctx, v.onEvent, Event{Type: EventDenied, Time: v.now(), Reason: err}, tok)
	}
}

// RequireScope returns an [InsufficientScopeError] that lists the required scopes which the token's scopes, with what
// they imply, don't cover. A token without scopes covers none.
func (v *Verifier) RequireScope(tok Token, required ...string) error {
	if v == nil || v.settings == nil {
		return errNotMade
	}
	var missing []string
	for _, scope := range required {
		if !v.scopes.implies(tok.Scopes, scope) {
			missing = append(missing, scope)
		}
	}
	if missing != nil {
		return &InsufficientScopeError{Missing: missing}
	}
	return nil
}

// EffectiveScope returns what the token's scopes come to: those not implied by another of them, in the order granted.
func (v *Verifier) EffectiveScope(tok Token) Scopes {
	if v == nil || v.settings == nil {
		return tok.Scopes // without a policy, no scope implies another
	}
	return v.scopes.effective(tok.Scopes)
}

// Close writes out the pending last-used times and stops the background work. It waits for that no longer than ctx
// allows; the error then is that of ctx, or of the store, and the times that were not written are lost unless another
// Close writes them. The Verifier goes on verifying after it, but records no further use. Closing again is harmless.
func (v *Verifier) Close(ctx context.Context) error {
	if v == nil || v.settings == nil {
		return nil
	}
	if err := v.behind.close(ctx); err != nil {
		return fmt.Errorf("pat: close: %w", err)
	}
	return nil
}

package pat

import (
	"context"
	"time"
)

// EventType says what happened.
type EventType string

// The types of events.
const (
	// EventCreated is a token that Create made.
	EventCreated EventType = "created"
	// EventImported is a token that Import took over, or found there already.
	EventImported EventType = "imported"
	// EventRotated is about the token that was replaced. SuccessorID is the new one, which gets no EventCreated.
	EventRotated EventType = "rotated"
	// EventRevoked is a token that was not revoked before. RevokeAll sends one for each. Purge sends nothing.
	EventRevoked EventType = "revoked"
	// EventVerified is a verification that succeeded.
	EventVerified EventType = "verified"
	// EventDenied is a verification that failed. Reason is the error that Verify returned: one of the reasons below
	// ErrInvalidToken, or the fault that kept Verify from finding out.
	EventDenied EventType = "denied"
	// EventWriteFailed says that writing last-used times, or replacing an outdated digest, failed in the
	// background. No verification failed because of it. The times are tried again, and the digest is when its token is
	// used again. Reason is the error.
	EventWriteFailed EventType = "write_failed"
)

// Event is one thing that happened, for an audit log. It holds ids only, never a value, a secret or a name.
// Fields that are not known stay empty: a denied value whose prefix is unknown belongs to no token.
type Event struct {
	// Type says what happened, and Time when, by Config.Now.
	Type EventType
	Time time.Time
	// TokenID is the token that it happened to, and UserID and GroupID are its owner.
	TokenID string
	UserID  string
	GroupID string
	// SuccessorID is the id of the new token, in EventRotated.
	SuccessorID string
	// Reason is set in EventDenied and EventWriteFailed.
	Reason error
}

// emit hands an event about a token to the hook, if there is one.
func emit(ctx context.Context, hook func(context.Context, Event), event Event, tok *Token) {
	if hook == nil {
		return
	}
	if tok != nil {
		event.TokenID, event.UserID, event.GroupID = tok.ID, tok.UserID, tok.GroupID
	}
	event.Time = canonicalTime(event.Time)
	hook(ctx, event)
}

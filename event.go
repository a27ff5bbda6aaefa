package pat

import (
	"context"
	"time"
)

// EventType says what happened.
type EventType string

// The types of events.
const (
	EventCreated  EventType = "created"
	EventImported EventType = "imported"
	EventRotated  EventType = "rotated"
	EventRevoked  EventType = "revoked"
	EventVerified EventType = "verified"
	// EventDenied is a failed verification. Reason is the error that Verify returned: one of the reasons below
	// ErrInvalidToken, or the fault that kept Verify from finding out.
	EventDenied EventType = "denied"
	// EventWriteFailed says that writing last-used times, or replacing an outdated digest, failed in the
	// background. No verification failed because of it; it is tried again. Reason is the error.
	EventWriteFailed EventType = "write_failed"
)

// Event is one thing that happened, for an audit log. It holds ids only, never a value, a secret or a name.
// Fields that are not known stay empty: a denied value whose prefix is unknown belongs to no token.
type Event struct {
	Type    EventType
	Time    time.Time
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

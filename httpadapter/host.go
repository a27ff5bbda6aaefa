package httpadapter

import (
	"errors"

	"github.com/patkit/pat"
)

// Caller is the user behind a request, as [Config].Authenticate found them.
type Caller struct {
	// UserID is the host's id of the user: 1 to 255 bytes of valid UTF-8 without control characters. It becomes the
	// owner of every token that the caller creates. An empty one becomes 500.
	UserID string
	// Value is whatever else the host knows about the caller. It is handed to Authorize and not looked at.
	Value any
}

// Action is what a caller wants to do.
type Action string

// The actions that [Config].Authorize is asked about.
const (
	// ActionList is to see a group's tokens. Target.Token is nil on a list, and set on a delete that was forbidden.
	ActionList Action = "list"
	// ActionCreate is to make a token for a group. Target.Token is nil.
	ActionCreate Action = "create"
	// ActionRevoke is to end Target.Token.
	ActionRevoke Action = "revoke"
)

// Target is what an action is about.
type Target struct {
	// GroupID is the group: that of Token, if there is one, or else the one that the request names.
	GroupID string
	// Token is the token meant, or nil where the action is about the group as a whole. It is a copy.
	Token *pat.Token
}

// What the host's functions return. They may be wrapped.
var (
	// ErrUnauthenticated is returned by Authenticate for a credential that is not valid.
	ErrUnauthenticated = errors.New("httpadapter: unauthenticated")
	// ErrForbidden is returned by Authorize for a caller who may not do this.
	ErrForbidden = errors.New("httpadapter: forbidden")
	// ErrGroupNotFound is returned by Authorize for a group that does not exist, or that the caller must not learn of.
	ErrGroupNotFound = errors.New("httpadapter: group not found")
)

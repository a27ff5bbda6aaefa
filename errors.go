package pat

import (
	"errors"
	"fmt"
	"strings"
)

// ErrInvalidToken is what every failed verification is: errors.Is(err, ErrInvalidToken) holds for each of the
// reasons below, and for nothing else. A store that is down, slow or corrupt is none of these, so that a caller can
// tell "no" from "I don't know".
var ErrInvalidToken = errors.New("pat: invalid token")

// The reasons of a failed verification. Each of them matches [ErrInvalidToken].
//
// ErrMalformed, ErrUnknown and ErrWrongSecret must look the same to the client, because the difference tells an
// attacker which tokens exist. Verify returns the other three only after the whole value has been proven.
var (
	// ErrMalformed means that the value has not the form of a token: its length, alphabet or checksum is wrong.
	// No store was asked.
	ErrMalformed error = &reason{"malformed"}
	// ErrUnknown means that no token has this prefix.
	ErrUnknown error = &reason{"unknown prefix"}
	// ErrWrongSecret means that the prefix exists and the value is not the one that was issued with it.
	ErrWrongSecret error = &reason{"wrong secret"}
	// ErrExpired means that the token is past its expiry.
	ErrExpired error = &reason{"expired"}
	// ErrRevoked means that the token was revoked.
	ErrRevoked error = &reason{"revoked"}
	// ErrOwnerInactive means that Config.OwnerActive says that the token's owner is gone.
	ErrOwnerInactive error = &reason{"owner inactive"}
)

// reason is one cause below [ErrInvalidToken]. The values are package-level, so that refusing a token allocates
// nothing.
type reason struct{ text string }

func (r *reason) Error() string        { return "pat: invalid token: " + r.text }
func (r *reason) Is(target error) bool { return target == ErrInvalidToken }

var (
	// ErrNotFound means that no token has this id, or this prefix, and only that: a store that could not look
	// returns another error.
	ErrNotFound = errors.New("pat: token not found")
	// ErrExists means that the id or the prefix of a new token is taken, by a living token or by a revoked one.
	ErrExists = errors.New("pat: token id or prefix is taken")
	// ErrLimitReached means that the group has as many tokens as Config.GroupLimit allows.
	ErrLimitReached = errors.New("pat: the group's token limit is reached")
	// ErrRotated means that the token has been rotated before. Its successor can be rotated, it can not.
	ErrRotated = errors.New("pat: token is already rotated")
	// ErrInGrace means that the token is the successor of one whose grace period has not ended. It can be rotated
	// after that, or once its predecessor is revoked.
	ErrInGrace = errors.New("pat: the token's predecessor is still in its grace period")
	// ErrCorrupt means that what a store holds can't be a token that this library wrote. It is never a valid token
	// and never an invalid one.
	ErrCorrupt = errors.New("pat: stored token is corrupt")
	// ErrOutcomeUnknown means that a store lost its database, or its disk, before it was told whether a write, which it
	// had sent, was done. The write is whole, or absent, or still to come. See [Store] for what to do then.
	ErrOutcomeUnknown = errors.New("pat: it is unknown whether the store has done the write")
	// ErrInvalidArgument is what every [ArgumentError] is.
	ErrInvalidArgument = errors.New("pat: invalid argument")
)

// ArgumentError reports an argument, or a field of [Config], that breaks a rule. It never holds what was passed.
// errors.Is(err, ErrInvalidArgument) holds for it.
type ArgumentError struct {
	// Argument is the name of the argument or field, such as "CreateParams.Name" or "Config.Lifetime.Default".
	Argument string
	// Rule is what the argument has to fulfil, such as "must not be empty".
	Rule string
}

func (e *ArgumentError) Error() string { return "pat: " + e.Argument + " " + e.Rule }

// Is reports whether target is [ErrInvalidArgument].
func (e *ArgumentError) Is(target error) bool { return target == ErrInvalidArgument }

func invalid(argument, rule string) error { return &ArgumentError{Argument: argument, Rule: rule} }

// InsufficientScopeError reports scopes that a token needs and doesn't have (RFC 6750, section 3.1).
// It is returned by [Verifier.RequireScope].
type InsufficientScopeError struct {
	// Missing are the required scopes that the token's scopes don't imply, in the order asked for.
	Missing []string
}

func (e *InsufficientScopeError) Error() string {
	return "pat: insufficient scope: missing " + strings.Join(e.Missing, " ")
}

// errNotMade is what methods of an Issuer or Verifier return that did not come from its constructor.
var errNotMade = errors.New("pat: not made by NewIssuer or NewVerifier")

// fault says in which operation a store or a callback of the host failed.
func fault(operation string, err error) error { return fmt.Errorf("pat: %s: %w", operation, err) }

// verifyFault is fault on the verify path. A failure there is never an invalid token (a caller would answer 401 to a
// valid one while the database is away), so an error that claims to be one keeps its text and loses its identity.
func verifyFault(err error) error {
	if errors.Is(err, ErrInvalidToken) {
		return fmt.Errorf("pat: verify: %v", err) //nolint:errorlint // see above: the identity must go
	}
	return fault("verify", err)
}

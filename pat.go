// Package pat issues, lists, rotates, revokes and verifies personal access tokens (PATs): long-lived bearer
// credentials that a user creates for a script or a program.
//
// A service that imports it brings its own users, groups and sessions, and chooses a [Store]: package memory for tests
// and small services, package sqlite for one machine, package postgres for many. Package cache puts the memory of each
// process in front of a store that is far away.
//
// # Which functions to use
//
// Make one [Issuer] and one [Verifier] over the same store, with the same [Config]. Use [Issuer.Create] to make a
// token; it returns the token value, once, as a [Secret]. Use [Verifier.Verify] in front of every request that bears
// a token. Call [Verifier.Close] before the process ends, so that pending last-used times are written. Package
// httpadapter has the HTTP routes and a middleware.
//
// # Words
//
// A token value is what a client presents: pat_<prefix>-<secret>, 55 characters. The prefix is public and names the
// token. The secret has 190 random bits and a checksum. A store keeps the metadata ([Token]) and a one-way [Digest],
// never the value.
//
// # Failure
//
// A failed verification is an [ErrInvalidToken] with one reason below it. Any other error of [Verifier.Verify] means
// that it could not find out: answer 500, not 401. No error holds what the caller passed. A panic of the store goes to
// the caller, but for one in the background or in Close, which becomes an error.
//
// # Hashing
//
// Digests are SHA-256, or HMAC-SHA-256 where [Config].PepperKeys are given. A slow hash protects guessable passwords;
// against 190 random bits it adds nothing, and an open verify route that runs one is a denial of service. Slow
// digests (bcrypt, Argon2id) are only for tokens imported from an older system; see [Issuer.Import].
//
// # Compatibility
//
// A token issued by any release verifies in every later one.
package pat

import "time"

// Token is the metadata of a personal access token. It holds neither its value nor its digest, so it can be logged
// and serialised without thought. Times are UTC, cut to microseconds, without a monotonic part; the zero time means
// "none".
type Token struct {
	// ID identifies the token in management calls: a UUID in its canonical lower-case form.
	ID string `json:"id"`
	// UserID is the host's id of the user who created the token.
	UserID string `json:"userId"`
	// GroupID is the host's id of the group that the token belongs to.
	GroupID string `json:"groupId"`
	// Name is what the owner calls the token.
	Name string `json:"name"`
	// Prefix is the public part of the value, by which an owner recognises the token and a store finds it:
	// 12 base62 characters, or the look-up key of an imported token.
	Prefix string `json:"tokenPrefix"`
	// Scopes is what the token may do, as granted.
	Scopes Scopes `json:"scopes"`

	// CreatedAt is when the token was made, by the older system if it was imported.
	CreatedAt time.Time `json:"createdAt"`
	// UpdatedAt is when the metadata last changed. Being used is not a change.
	UpdatedAt time.Time `json:"updatedAt"`
	// ExpiresAt is when the token ends; zero if it never does.
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	// LastUsedAt is when the token was last verified, to within Config.LastUsedInterval; zero if it never was.
	LastUsedAt time.Time `json:"lastUsedAt,omitzero"`
	// RevokedAt is when the token was revoked; zero if it was not.
	RevokedAt time.Time `json:"revokedAt,omitzero"`

	// RotatedFrom is the id of the token that this one replaced, or empty. That token may have been purged since.
	RotatedFrom string `json:"rotatedFrom,omitempty"`
	// RotatedTo is the id of the token that replaced this one, or empty.
	RotatedTo string `json:"rotatedTo,omitempty"`
}

// Revoked reports whether the token was revoked.
func (t Token) Revoked() bool { return isRevoked(&t) }

// Expired reports whether the token is past its end at the time now. It is expired from the very instant of
// ExpiresAt on.
func (t Token) Expired(now time.Time) bool { return isExpired(&t, now) }

// isRevoked and isExpired are for Verify, which would copy the whole Token for a method of the value, inlined or not.
func isRevoked(t *Token) bool { return !t.RevokedAt.IsZero() }
func isExpired(t *Token, now time.Time) bool {
	return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt)
}

// isWhole reports whether a token that a store returned has what a host goes by: an id, and an owner. A token without a
// user could pass for anybody's. The form of the id is not looked at beyond its length, because every verification
// pays for it.
func isWhole(t *Token) bool { return len(t.ID) == idLength && t.UserID != "" && t.GroupID != "" }

// idLength is that of a UUID in its canonical form (RFC 9562, section 4).
const idLength = 36

// Issued is a new token together with its value.
type Issued struct {
	Token Token
	// Value is the token value. It can't be had again later.
	Value Secret
}

// canonicalTime gives times the one form in which they are stored, compared and returned. The zero time stays the zero
// time, whichever zone it comes in.
func canonicalTime(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

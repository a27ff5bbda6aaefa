package pat

import (
	"context"
	"time"
)

// Record is what a store holds for one token.
type Record struct {
	// Token is the metadata. The rotation fields of a new token may name tokens that are not there.
	Token Token
	// Digest is of the token's value. It is never the zero Digest.
	Digest Digest
}

// Store keeps records. Packages memory, sqlite, postgres and cache implement it; package storetest has the suite that every
// implementation has to pass, and says each rule below as a test.
//
// These rules hold for all methods:
//
//   - They are safe for concurrent use, also by several processes where the store is shared by processes.
//   - They obey ctx: once it is done before the work began, they return its error and have changed nothing. A call
//     never fails with the error of another caller's context.
//   - An error of a writing method means that nothing was written, except as Revoke and RevokeAll say, and unless the
//     store lost its database, or its disk, during the commit and can't know. The error then wraps [ErrOutcomeUnknown].
//     Insert and Rotate may be repeated with the same arguments to find out; to repeat the others does no harm.
//   - A nil error of a writing method means that the write is as durable as the store promises.
//   - [ErrNotFound] means that the token is absent, and only that. A store that is down, slow or closed returns
//     another error, and one that reads back something that was never written returns an error that wraps
//     [ErrCorrupt]. No error matches [ErrInvalidToken], except where Rotate says so.
//   - What is returned can't be used to change what is held. Arguments are not kept in a way that a caller could
//     change, and the prefix given to FindByPrefix is not kept at all: it is a part of a token value.
//   - What was written before a call started, the call sees: no read is answered with what an earlier one had found,
//     or by a replica that lags. A store that caches may weaken this for the writes of other processes, by a bound
//     that it documents; within its own process the rule stands.
//   - Times come in and go out as [Token] says: UTC, in microseconds, zero for none. The times of a change
//     (CreatedAt, UpdatedAt, Rotation.At, Use.At, and at) are never zero; a zero one is an [ArgumentError].
//   - Values are those that the [Issuer] lets through: ids are UUIDs in canonical lower case; a prefix has 1 to 128
//     printable ASCII characters; ids of users and groups 1 to 255 bytes, and names 1 to 255 characters, of UTF-8
//     without control characters; scopes are those of [NewScopes]; a digest has up to 512 bytes of any kind; times
//     lie in the years 1970 to 9998. What is only looked for (an id, a prefix, an owner) may be any string: where it
//     can't be one that is held, it is absent.
//   - An id or a prefix is never given to another token. Revoked tokens stay as tombstones until they are purged.
//   - No method writes a whole record back, so that no stale copy can undo a revoke.
type Store interface {
	// Insert adds a record. If limit is above zero, it counts the group's tokens that are not revoked (expired ones
	// included), leaving out those that are rotated and expired at the new token's CreatedAt, and returns
	// [ErrLimitReached] where there are limit or more; counting and adding are one step, whatever other callers and
	// processes do at the time.
	//
	// It returns [ErrExists] if the id or the prefix is taken, also at the limit. If a record with the same id, prefix
	// and digest is there, it is the earlier try of this very call, whose outcome got lost: Insert changes nothing and
	// returns nil, also at the limit.
	Insert(ctx context.Context, rec Record, limit int) error

	// FindByPrefix returns the record with this prefix, or [ErrNotFound]. It compares bytes: prefixes that differ in
	// case are different. It is the one call of every verification.
	FindByPrefix(ctx context.Context, prefix string) (Record, error)

	// FindByID returns the token with this id, or [ErrNotFound].
	FindByID(ctx context.Context, id string) (Token, error)

	// List returns at most query.Limit tokens of the owner, newest first: by CreatedAt and, where that is equal, by
	// ID, both descending. With query.After it goes on behind that position, whether or not a token is still there, and
	// whatever time it has: a position may be made up.
	// Expired tokens are listed, revoked ones only with query.IncludeRevoked.
	List(ctx context.Context, query ListQuery) ([]Token, error)

	// Rotate, in one step, adds rotation.New and ends the old token. It does not check the group's limit: the new
	// token takes the old one's place, if only once its grace has ended.
	//
	// The old token has to be there (else [ErrNotFound]), not revoked ([ErrRevoked]), not expired at rotation.At
	// ([ErrExpired]) and not rotated before ([ErrRotated]), tested in this order; of several callers who rotate a
	// token at once, one succeeds. Its RotatedTo becomes the new id and its UpdatedAt rotation.At. If rotation.End is
	// not after rotation.At, its RevokedAt becomes rotation.At. Otherwise its ExpiresAt becomes rotation.End, unless
	// it is earlier already.
	//
	// It returns [ErrExists] as Insert does, and likewise nil for a repeated call whose first try succeeded.
	Rotate(ctx context.Context, rotation Rotation) error

	// Revoke sets RevokedAt and UpdatedAt to at and returns the token as it then is. A token that is revoked already
	// keeps its times, and changed is false. An absent one is [ErrNotFound]. One that can't be read is revoked
	// nevertheless, and the error wraps [ErrCorrupt]. Once Revoke has returned, no call of FindByPrefix that starts later,
	// in any process, returns the token unrevoked, but for the bound of a store that caches.
	Revoke(ctx context.Context, id string, at time.Time) (tok Token, changed bool, err error)

	// RevokeAll revokes, in one step, every token of the owner that is not revoked yet, and returns these as they
	// then are, in no particular order. It gives the same promise as Revoke. Those that can't be read are revoked
	// with the others, so that one of them keeps nobody from stopping the rest; the error then wraps [ErrCorrupt],
	// and the readable ones are returned beside it.
	RevokeAll(ctx context.Context, owner Owner, at time.Time) ([]Token, error)

	// Touch records uses of tokens. A LastUsedAt only ever moves forward, nothing else changes, and prefixes that are
	// not there are passed over.
	Touch(ctx context.Context, uses []Use) error

	// ReplaceDigest puts next in the place of old (compare-and-swap). It reports false, and changes nothing, where the
	// prefix is absent, the token is revoked, or the stored digest is no longer old. Nothing but the digest changes.
	ReplaceDigest(ctx context.Context, prefix string, old, next Digest) (bool, error)

	// Purge deletes at most limit tokens that were revoked before the given time or expired before it, and
	// returns how many it deleted. Fewer than limit means that none is left.
	Purge(ctx context.Context, before time.Time, limit int) (int, error)
}

// Owner selects tokens: those of a user, of a group, or, with both fields set, those of a user in a group. The zero
// Owner selects nothing.
type Owner struct {
	// UserID and GroupID are the host's ids. An empty one selects any.
	UserID  string
	GroupID string
}

// Matches reports whether the token is one of the owner's.
func (o Owner) Matches(t Token) bool {
	return o != (Owner{}) && (o.UserID == "" || o.UserID == t.UserID) && (o.GroupID == "" || o.GroupID == t.GroupID)
}

// ListQuery is what [Store].List is asked for. The Owner is not the zero one, and Limit is above zero.
type ListQuery struct {
	// Owner says whose tokens to list.
	Owner Owner
	// IncludeRevoked asks for the revoked tokens too.
	IncludeRevoked bool
	// After is where to go on.
	After Position
	// Limit is how many tokens to return at most.
	Limit int
}

// Position is a place in the order of [Store].List: right behind the token with this creation time and id. The zero
// Position is the beginning.
type Position struct {
	// CreatedAt and ID are those of the token.
	CreatedAt time.Time
	ID        string
}

// Rotation is what [Store].Rotate is asked to do.
type Rotation struct {
	// OldID names the token to replace.
	OldID string
	// At is the time of the rotation.
	At time.Time
	// End is when the old token ends.
	End time.Time
	// New is the new token. Its RotatedFrom is OldID.
	New Record
}

// Check reports why the token with OldID, as it now is, can't be rotated: [ErrRevoked], [ErrExpired] or
// [ErrRotated], in this order, or nil. A store calls it in the transaction that rotates.
func (r Rotation) Check(old Token) error {
	switch {
	case old.Revoked():
		return ErrRevoked
	case old.Expired(r.At):
		return ErrExpired
	case old.RotatedTo != "":
		return ErrRotated
	}
	return nil
}

// Use is one use of a token, for [Store].Touch.
type Use struct {
	// Prefix is the token's, and At when it was used, which is never zero.
	Prefix string
	At     time.Time
}

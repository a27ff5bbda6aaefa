package memory

import (
	"sync/atomic"
	"unique"

	"github.com/patkit/pat"
)

// entry is one token. The indexes point at it for as long as the token is there, so that a change is seen
// everywhere at once. It is kept small: times are instants, strings share one allocation, owners and
// scopes are shared with other tokens.
type entry struct {
	// These never change.
	text                                 string // id, prefix, name, rotatedFrom and the first digest, in a row
	idEnd, prefixEnd, nameEnd, originEnd uint32
	user, group                          *owner
	scopes                               unique.Handle[pat.Scopes]
	created, expires                     instant
	digest                               pat.Digest

	lastUsed atomic.Int64 // an instant
	// changed replaces what the token had when it was inserted. It is nil until there is a change; most tokens never
	// have one. What it points at is never written to, so that readers see each change whole.
	changed atomic.Pointer[state]
	purged  bool // under Store.mu
}

// state is what management calls change.
type state struct {
	digest    pat.Digest
	updated   instant
	expires   instant
	revoked   instant
	rotatedTo string
}

// newEntry copies everything out of rec, whose strings may be parts of a larger buffer.
func newEntry(rec pat.Record, user, group *owner) (*entry, error) {
	tok := &rec.Token
	head := tok.ID + tok.Prefix + tok.Name + tok.RotatedFrom
	e := &entry{
		text: head + rec.Digest.Encoded(),
		user: user, group: group,
		scopes:  unique.Make(tok.Scopes),
		created: instantOf(tok.CreatedAt), expires: instantOf(tok.ExpiresAt),
	}
	e.idEnd = uint32(len(tok.ID))
	e.prefixEnd = e.idEnd + uint32(len(tok.Prefix))
	e.nameEnd = e.prefixEnd + uint32(len(tok.Name))
	e.originEnd = uint32(len(head))
	digest, err := pat.ParseDigest(e.text[e.originEnd:])
	if err != nil {
		return nil, err
	}
	e.digest = digest
	e.lastUsed.Store(int64(instantOf(tok.LastUsedAt)))
	now := e.state()
	first := now
	first.updated, first.revoked = instantOf(tok.UpdatedAt), instantOf(tok.RevokedAt)
	first.rotatedTo = tok.RotatedTo
	if first != now {
		e.changed.Store(&first)
	}
	return e, nil
}

func (e *entry) id() string          { return e.text[:e.idEnd] }
func (e *entry) prefix() string      { return e.text[e.idEnd:e.prefixEnd] }
func (e *entry) name() string        { return e.text[e.prefixEnd:e.nameEnd] }
func (e *entry) rotatedFrom() string { return e.text[e.nameEnd:e.originEnd] }

// state returns the token's changeable part as it now is.
func (e *entry) state() state {
	if s := e.changed.Load(); s != nil {
		return *s
	}
	return state{digest: e.digest, updated: e.created, expires: e.expires, revoked: none}
}

// fill writes the token and its digest to rec, which is zero. It is on the path of every verification, so it writes
// each field once, where it is returned, and doesn't go through state.
func (e *entry) fill(rec *pat.Record) {
	tok := &rec.Token
	tok.ID = e.id()
	tok.UserID = e.user.id
	tok.GroupID = e.group.id
	tok.Name = e.name()
	tok.Prefix = e.prefix()
	tok.Scopes = e.scopes.Value()
	tok.RotatedFrom = e.rotatedFrom()
	tok.CreatedAt = e.created.time()
	instant(e.lastUsed.Load()).putTime(&tok.LastUsedAt)
	if s := e.changed.Load(); s != nil {
		rec.Digest = s.digest
		tok.UpdatedAt = s.updated.time()
		s.expires.putTime(&tok.ExpiresAt)
		s.revoked.putTime(&tok.RevokedAt)
		tok.RotatedTo = s.rotatedTo
		return
	}
	rec.Digest = e.digest
	tok.UpdatedAt = tok.CreatedAt
	e.expires.putTime(&tok.ExpiresAt)
}

func (e *entry) token() pat.Token {
	var rec pat.Record
	e.fill(&rec)
	return rec.Token
}

// stands reports whether the token is neither revoked nor rotated, and rotates whether it is rotated and not revoked.
func (s *state) stands() bool  { return s.revoked == none && s.rotatedTo == "" }
func (s *state) rotates() bool { return s.revoked == none && s.rotatedTo != "" }

// nowhere is the state of a token before it is added and after it is removed: like a revoked one, it counts for nothing.
var nowhere = state{}

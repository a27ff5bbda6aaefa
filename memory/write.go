package memory

import (
	"context"
	"strings"
	"time"

	"github.com/patkit/pat"
)

// Insert implements [pat.Store].
func (s *Store) Insert(ctx context.Context, rec pat.Record, limit int) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if e := s.repeated(rec); e != nil {
		return nil
	}
	if s.taken(rec.Token) {
		return pat.ErrExists
	}
	if limit > 0 && s.groups.get(rec.Token.GroupID).count(instantOf(rec.Token.CreatedAt)) >= limit {
		return pat.ErrLimitReached
	}
	return s.add(rec)
}

// Rotate implements [pat.Store].
func (s *Store) Rotate(ctx context.Context, rotation pat.Rotation) error {
	if err := given("Rotation.At", rotation.At); err != nil {
		return err
	}
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if e := s.repeated(rotation.New); e != nil && e.rotatedFrom() == rotation.OldID {
		return nil
	}
	old := s.byID.find(rotation.OldID)
	if old == nil {
		return pat.ErrNotFound
	}
	if err := rotation.Check(old.token()); err != nil {
		return err
	}
	if s.taken(rotation.New.Token) {
		return pat.ErrExists
	}
	if err := s.add(rotation.New); err != nil {
		return err
	}
	next := old.state()
	next.rotatedTo = strings.Clone(rotation.New.Token.ID)
	next.updated = instantOf(rotation.At)
	switch end := instantOf(rotation.End); {
	case !rotation.End.After(rotation.At):
		next.revoked = next.updated
	case next.expires == none || end < next.expires:
		next.expires = end
	}
	old.change(next)
	return nil
}

// Revoke implements [pat.Store].
func (s *Store) Revoke(ctx context.Context, id string, at time.Time) (pat.Token, bool, error) {
	if err := given("at", at); err != nil {
		return pat.Token{}, false, err
	}
	if err := s.lock(ctx); err != nil {
		return pat.Token{}, false, err
	}
	defer s.mu.Unlock()
	e := s.byID.find(id)
	if e == nil {
		return pat.Token{}, false, pat.ErrNotFound
	}
	changed := e.revoke(at)
	return e.token(), changed, nil
}

// RevokeAll implements [pat.Store].
func (s *Store) RevokeAll(ctx context.Context, owner pat.Owner, at time.Time) ([]pat.Token, error) {
	if err := given("at", at); err != nil {
		return nil, err
	}
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var revoked []pat.Token
	s.newestFirst(owner, pat.Position{}, func(e *entry) bool {
		if e.revoke(at) {
			revoked = append(revoked, e.token())
		}
		return true
	})
	return revoked, nil
}

// Touch implements [pat.Store].
func (s *Store) Touch(ctx context.Context, uses []pat.Use) error {
	for _, use := range uses {
		if err := given("Use.At", use.At); err != nil {
			return err
		}
	}
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	for _, use := range uses {
		if e, at := s.byPrefix.find(use.Prefix), int64(instantOf(use.At)); e != nil && at > e.lastUsed.Load() {
			e.lastUsed.Store(at)
		}
	}
	return nil
}

// ReplaceDigest implements [pat.Store].
func (s *Store) ReplaceDigest(ctx context.Context, prefix string, old, next pat.Digest) (bool, error) {
	if err := s.lock(ctx); err != nil {
		return false, err
	}
	defer s.mu.Unlock()
	e := s.byPrefix.find(prefix)
	if e == nil {
		return false, nil
	}
	now := e.state()
	if now.revoked != none || now.digest != old {
		return false, nil
	}
	now.digest = next
	e.change(now)
	return true, nil
}

// given refuses the zero time for a change. A token whose RevokedAt became zero would go on living.
func given(argument string, at time.Time) error {
	if at.IsZero() {
		return &pat.ArgumentError{Argument: argument, Rule: "must not be zero"}
	}
	return nil
}

// repeated returns the entry that rec is a repeated try of, or nil.
func (s *Store) repeated(rec pat.Record) *entry {
	e := s.byID.find(rec.Token.ID)
	if e == nil || e.prefix() != rec.Token.Prefix || e.state().digest != rec.Digest {
		return nil
	}
	return e
}

// taken reports whether the id or the prefix is.
func (s *Store) taken(tok pat.Token) bool {
	return s.byID.find(tok.ID) != nil || s.byPrefix.find(tok.Prefix) != nil
}

// add adds a record whose id and prefix are free.
func (s *Store) add(rec pat.Record) error {
	user, group := s.users.get(rec.Token.UserID), s.groups.get(rec.Token.GroupID)
	e, err := newEntry(rec, user, group)
	if err != nil {
		return err
	}
	s.users.add(user, e)
	s.groups.add(group, e)
	group.recount(e, nowhere, e.state())
	s.byID.add(e)
	s.byPrefix.add(e)
	return nil
}

// revoke revokes the token, unless it is already, and reports whether it did.
func (e *entry) revoke(at time.Time) bool {
	now := e.state()
	if now.revoked != none {
		return false
	}
	now.updated = instantOf(at)
	now.revoked = now.updated
	e.change(now)
	return true
}

// change gives the token another state, for readers to see at once.
func (e *entry) change(next state) {
	e.group.recount(e, e.state(), next)
	e.changed.Store(&next)
}

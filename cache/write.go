package cache

import (
	"context"
	"time"

	"github.com/patkit/pat"
)

// Each method that may end or begin a token forgets it once the other store is done, whatever that has returned: a
// write that failed may have been done nevertheless. Touch, ReplaceDigest and Purge don't if they fail. None of them
// makes a valid token invalid, and the first two are called for just those tokens that are in use: without a database,
// they would take away what is to live until its lease ends.

// purgeMargin allows for clocks of other processes that are slow, and for the time from the stamp of a revocation to its
// end. It is far below the age at which tokens are purged.
const purgeMargin = time.Minute

// Insert implements [pat.Store].
func (s *Store) Insert(ctx context.Context, rec pat.Record, limit int) error {
	defer s.drop(rec.Token.Prefix) // it may be remembered as absent
	return s.store.Insert(ctx, rec, limit)
}

// Rotate implements [pat.Store].
func (s *Store) Rotate(ctx context.Context, rotation pat.Rotation) error {
	defer s.drop(rotation.New.Token.Prefix)
	defer s.dropID(rotation.OldID)
	return s.store.Rotate(ctx, rotation)
}

// Revoke implements [pat.Store].
func (s *Store) Revoke(ctx context.Context, id string, at time.Time) (tok pat.Token, changed bool, err error) {
	defer s.dropID(id)
	return s.store.Revoke(ctx, id, at)
}

// RevokeAll implements [pat.Store].
func (s *Store) RevokeAll(ctx context.Context, owner pat.Owner, at time.Time) (revoked []pat.Token, err error) {
	defer s.dropWhere(func(e *entry) bool { return owner.Matches(e.rec.Token) })
	return s.store.RevokeAll(ctx, owner, at)
}

// Touch implements [pat.Store]. A later use is put into the records that are held, so that tokens in use, which are
// touched all the time, stay.
func (s *Store) Touch(ctx context.Context, uses []pat.Use) error {
	if err := s.store.Touch(ctx, uses); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, use := range uses {
		if e := s.records.find(s.hash(use.Prefix), use.Prefix); e != nil {
			e.use(use.At)
		}
		if f := s.fetches[use.Prefix]; f != nil {
			s.outdate(f)
		}
	}
	return nil
}

// ReplaceDigest implements [pat.Store].
func (s *Store) ReplaceDigest(ctx context.Context, prefix string, old, next pat.Digest) (bool, error) {
	replaced, err := s.store.ReplaceDigest(ctx, prefix, old, next)
	if err == nil { // also if it replaced nothing, since then the record has changed
		s.drop(prefix)
	}
	return replaced, err
}

// Purge implements [pat.Store]. Which tokens were deleted is not told. That one is among them shows in its record, unless
// it was revoked elsewhere since that was read.
func (s *Store) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	deleted, err := s.store.Purge(ctx, before, limit)
	if err == nil {
		late := before.Add(purgeMargin)
		s.dropWhere(func(e *entry) bool {
			tok := &e.rec.Token
			return tok.Revoked() && tok.RevokedAt.Before(before) || tok.Expired(before) || time.Unix(0, e.read.wall).Before(late)
		})
	}
	return deleted, err
}

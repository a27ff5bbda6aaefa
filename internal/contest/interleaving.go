package contest

import (
	"errors"
	"fmt"
	"time"

	"github.com/patkit/pat"
)

// Interleaving is one order of the steps of two calls that overlap.
type Interleaving struct {
	// Name says which.
	Name string
	run  func(s *service) error
}

// Run brings the order about on an empty store, and returns an error if a promise did not hold.
func (i Interleaving) Run(store pat.Store) error {
	issuer, err := pat.NewIssuer(store, issuing())
	if err != nil {
		return err
	}
	s := &service{Issuer: issuer, store: store}
	if s.Issued, err = create(issuer, "group"); err != nil {
		return err
	}
	if s.record, err = store.FindByPrefix(ctx, s.Token.Prefix); err != nil {
		return err
	}
	return i.run(s)
}

// Interleavings returns those in which a call that was prepared before another one is carried out after it.
func Interleavings() []Interleaving {
	return []Interleaving{
		{"a verification that has not read the token when it is revoked", func(s *service) error {
			return want(pat.ErrRevoked, during(s.store, "before FindByPrefix", s.verify, s.revoke))
		}},
		{"a verification that has read the token when it is revoked", func(s *service) error {
			// It began before the revocation had returned, so it may still succeed; what it writes may not.
			err := during(s.store, "after FindByPrefix", s.verify, s.revoke)
			return errors.Join(want(nil, err), s.staysRevoked())
		}},
		{"a last use that is written when the token is revoked", func(s *service) error {
			return errors.Join(want(nil, during(s.store, "before Touch", s.verify, s.revoke)), s.staysRevoked())
		}},
		{"a digest that is replaced when the token is revoked", func(s *service) error {
			return errors.Join(want(nil, during(s.store, "before ReplaceDigest", s.verify, s.revoke)), s.staysRevoked())
		}},
		{"a digest that is replaced when all tokens are revoked", func(s *service) error {
			return errors.Join(want(nil, during(s.store, "before ReplaceDigest", s.verify, s.revokeAll)), s.staysRevoked())
		}},
		{"a last use that is written when the token has been purged", func(s *service) error {
			err := during(s.store, "before Touch", s.verify, func() error { return errors.Join(s.revoke(), s.purge()) })
			return errors.Join(want(nil, err), want(pat.ErrUnknown, s.verify(s.store)))
		}},
		{"a rotation that has read the token when it is revoked", func(s *service) error {
			err := during(s.store, "before Rotate", s.rotate, s.revoke)
			return errors.Join(want(pat.ErrRevoked, err), s.staysRevoked(), s.has(1, 0))
		}},
		{"a rotation that has read the token when all are revoked", func(s *service) error {
			err := during(s.store, "before Rotate", s.rotate, s.revokeAll)
			return errors.Join(want(pat.ErrRevoked, err), s.staysRevoked(), s.has(1, 0))
		}},
		{"a rotation that has read the token when it is rotated", func(s *service) error {
			err := during(s.store, "before Rotate", s.rotate, func() error { return s.rotate(s.store) })
			return errors.Join(want(pat.ErrRotated, err), s.has(2, 2))
		}},
		{"a rotation that has not answered when the old token is revoked", func(s *service) error {
			err := during(s.store, "after Rotate", s.rotate, s.revoke)
			return errors.Join(want(nil, err), want(pat.ErrRevoked, s.verify(s.store)), s.has(2, 1))
		}},
		{"a rotation that has not answered when all tokens are revoked", func(s *service) error {
			err := during(s.store, "after Rotate", s.rotate, s.revokeAll)
			return errors.Join(want(nil, err), want(pat.ErrRevoked, s.verify(s.store)), s.has(2, 0))
		}},
		{"a revocation that comes when the token is revoked", func(s *service) error {
			var at time.Time
			err := during(s.store, "before Revoke", s.revokeOn, func() error {
				tok, err := s.Revoke(ctx, s.Token.ID)
				at = tok.RevokedAt
				return err
			})
			if got, getErr := s.Get(ctx, s.Token.ID); getErr != nil || !got.RevokedAt.Equal(at) {
				err = errors.Join(err, getErr, fmt.Errorf("revoked at %v, and then at %v", at, got.RevokedAt))
			}
			return errors.Join(want(nil, err), s.staysRevoked())
		}},
		{"a creation that comes when the last place is taken", func(s *service) error {
			const limit = 2
			within := func(store pat.Store) error {
				issuer, err := pat.NewIssuer(store, pat.Config{GroupLimit: limit})
				if err == nil {
					_, err = create(issuer, "group")
				}
				return err
			}
			err := during(s.store, "before Insert", within, func() error { return within(s.store) })
			return errors.Join(want(pat.ErrLimitReached, err), s.has(limit, limit))
		}},
	}
}

// service is an Issuer, its store and a token.
type service struct {
	*pat.Issuer
	pat.Issued
	store  pat.Store
	record pat.Record // the token's, when it was new
}

// verify also writes the last use and replaces the digest.
func (s *service) verify(store pat.Store) error {
	return verifyOnce(store, replacing(), s.Value.Reveal())
}

func (s *service) revoke() error { return s.revokeOn(s.store) }

func (s *service) revokeOn(store pat.Store) error {
	issuer, err := pat.NewIssuer(store, issuing())
	if err == nil {
		_, err = issuer.Revoke(ctx, s.Token.ID)
	}
	return err
}

func (s *service) revokeAll() error {
	_, err := s.RevokeAll(ctx, pat.Owner{GroupID: s.Token.GroupID})
	return err
}

func (s *service) rotate(store pat.Store) error {
	issuer, err := pat.NewIssuer(store, issuing())
	if err == nil {
		_, err = issuer.Rotate(ctx, s.Token.ID, pat.RotateParams{Grace: time.Hour})
	}
	return err
}

// purge deletes everything that has ended by now.
func (s *service) purge() error {
	_, err := s.store.Purge(ctx, time.Now().Add(time.Second), 1000)
	return err
}

// staysRevoked checks that the token is as it was, but for having been used and revoked once.
func (s *service) staysRevoked() error {
	rec, err := s.store.FindByPrefix(ctx, s.Token.Prefix)
	switch {
	case err != nil:
		return err
	case !rec.Token.Revoked():
		return errors.New("the token is not revoked any more")
	case rec.Digest != s.record.Digest:
		return errors.New("the digest of a revoked token was replaced")
	case !rec.Token.RevokedAt.Equal(rec.Token.UpdatedAt) || !rec.Token.ExpiresAt.Equal(s.Token.ExpiresAt) || rec.Token.RotatedTo != "":
		return fmt.Errorf("the revoked token was changed: %+v", rec.Token)
	}
	return want(pat.ErrRevoked, s.verify(s.store))
}

// has checks how many tokens the group has, and how many of them are not revoked.
func (s *service) has(all, live int) error {
	got := [2]int{}
	for i, revoked := range []bool{true, false} {
		page, err := s.List(ctx, pat.ListParams{GroupID: s.Token.GroupID, IncludeRevoked: revoked})
		if err != nil {
			return err
		}
		got[i] = len(page.Tokens)
	}
	if got != [2]int{all, live} {
		return fmt.Errorf("the group has %d tokens of which %d are not revoked, want %d and %d", got[0], got[1], all, live)
	}
	return nil
}

// want checks the outcome of a call. A nil target means success.
func want(target, err error) error {
	switch {
	case target == nil && err == nil, target != nil && errors.Is(err, target):
		return nil
	case err == nil:
		return fmt.Errorf("the call succeeded, want %q", target.Error())
	case target == nil:
		return fmt.Errorf("the call failed: %w", err)
	}
	return fmt.Errorf("the call failed with %w, want %q", err, target.Error())
}

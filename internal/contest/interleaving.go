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
	run  func(h *house) error
}

// Run brings the order about on an empty store, and returns an error if a promise did not hold.
func (i Interleaving) Run(store pat.Store) error {
	issuer, err := pat.NewIssuer(store, issuing())
	if err != nil {
		return err
	}
	h := &house{Issuer: issuer, store: store}
	if h.Issued, err = create(issuer, "group"); err != nil {
		return err
	}
	if h.record, err = store.FindByPrefix(ctx, h.Token.Prefix); err != nil {
		return err
	}
	return i.run(h)
}

// Interleavings returns those in which a call that was prepared before another one is carried out after it.
func Interleavings() []Interleaving {
	return []Interleaving{
		{"a verification that has not read the token when it is revoked", func(h *house) error {
			return want(pat.ErrRevoked, during(h.store, "before FindByPrefix", h.verify, h.revoke))
		}},
		{"a verification that has read the token when it is revoked", func(h *house) error {
			// It began before the revocation had returned, so it may still succeed; what it writes may not.
			err := during(h.store, "after FindByPrefix", h.verify, h.revoke)
			return errors.Join(want(nil, err), h.staysRevoked())
		}},
		{"a last use that is written when the token is revoked", func(h *house) error {
			return errors.Join(want(nil, during(h.store, "before Touch", h.verify, h.revoke)), h.staysRevoked())
		}},
		{"a digest that is replaced when the token is revoked", func(h *house) error {
			return errors.Join(want(nil, during(h.store, "before ReplaceDigest", h.verify, h.revoke)), h.staysRevoked())
		}},
		{"a digest that is replaced when all tokens are revoked", func(h *house) error {
			return errors.Join(want(nil, during(h.store, "before ReplaceDigest", h.verify, h.revokeAll)), h.staysRevoked())
		}},
		{"a last use that is written when the token has been purged", func(h *house) error {
			err := during(h.store, "before Touch", h.verify, func() error { return errors.Join(h.revoke(), h.purge()) })
			return errors.Join(want(nil, err), want(pat.ErrUnknown, h.verify(h.store)))
		}},
		{"a rotation that has read the token when it is revoked", func(h *house) error {
			err := during(h.store, "before Rotate", h.rotate, h.revoke)
			return errors.Join(want(pat.ErrRevoked, err), h.staysRevoked(), h.has(1, 0))
		}},
		{"a rotation that has read the token when all are revoked", func(h *house) error {
			err := during(h.store, "before Rotate", h.rotate, h.revokeAll)
			return errors.Join(want(pat.ErrRevoked, err), h.staysRevoked(), h.has(1, 0))
		}},
		{"a rotation that has read the token when it is rotated", func(h *house) error {
			err := during(h.store, "before Rotate", h.rotate, func() error { return h.rotate(h.store) })
			return errors.Join(want(pat.ErrRotated, err), h.has(2, 2))
		}},
		{"a rotation that has not answered when the old token is revoked", func(h *house) error {
			err := during(h.store, "after Rotate", h.rotate, h.revoke)
			return errors.Join(want(nil, err), want(pat.ErrRevoked, h.verify(h.store)), h.has(2, 1))
		}},
		{"a rotation that has not answered when all tokens are revoked", func(h *house) error {
			err := during(h.store, "after Rotate", h.rotate, h.revokeAll)
			return errors.Join(want(nil, err), want(pat.ErrRevoked, h.verify(h.store)), h.has(2, 0))
		}},
		{"a revocation that comes when the token is revoked", func(h *house) error {
			var at time.Time
			err := during(h.store, "before Revoke", h.revokeOn, func() error {
				tok, err := h.Revoke(ctx, h.Token.ID)
				at = tok.RevokedAt
				return err
			})
			if got, getErr := h.Get(ctx, h.Token.ID); getErr != nil || !got.RevokedAt.Equal(at) {
				err = errors.Join(err, getErr, fmt.Errorf("revoked at %v, and then at %v", at, got.RevokedAt))
			}
			return errors.Join(want(nil, err), h.staysRevoked())
		}},
		{"a creation that comes when the last place is taken", func(h *house) error {
			const limit = 2
			within := func(store pat.Store) error {
				issuer, err := pat.NewIssuer(store, pat.Config{GroupLimit: limit})
				if err == nil {
					_, err = create(issuer, "group")
				}
				return err
			}
			err := during(h.store, "before Insert", within, func() error { return within(h.store) })
			return errors.Join(want(pat.ErrLimitReached, err), h.has(limit, limit))
		}},
	}
}

// house is an Issuer, its store and a token.
type house struct {
	*pat.Issuer
	pat.Issued
	store  pat.Store
	record pat.Record // the token's, when it was new
}

// verify also writes the last use and replaces the digest.
func (h *house) verify(store pat.Store) error {
	return verifyOnce(store, replacing(), h.Value.Reveal())
}

func (h *house) revoke() error { return h.revokeOn(h.store) }

func (h *house) revokeOn(store pat.Store) error {
	issuer, err := pat.NewIssuer(store, issuing())
	if err == nil {
		_, err = issuer.Revoke(ctx, h.Token.ID)
	}
	return err
}

func (h *house) revokeAll() error {
	_, err := h.RevokeAll(ctx, pat.Owner{GroupID: h.Token.GroupID})
	return err
}

func (h *house) rotate(store pat.Store) error {
	issuer, err := pat.NewIssuer(store, issuing())
	if err == nil {
		_, err = issuer.Rotate(ctx, h.Token.ID, pat.RotateParams{Grace: time.Hour})
	}
	return err
}

// purge deletes everything that has ended by now.
func (h *house) purge() error {
	_, err := h.store.Purge(ctx, time.Now().Add(time.Second), 1000)
	return err
}

// staysRevoked checks that the token is as it was, but for having been used and revoked once.
func (h *house) staysRevoked() error {
	rec, err := h.store.FindByPrefix(ctx, h.Token.Prefix)
	switch {
	case err != nil:
		return err
	case !rec.Token.Revoked():
		return errors.New("the token is not revoked any more")
	case rec.Digest != h.record.Digest:
		return errors.New("the digest of a revoked token was replaced")
	case !rec.Token.RevokedAt.Equal(rec.Token.UpdatedAt) || !rec.Token.ExpiresAt.Equal(h.Token.ExpiresAt) || rec.Token.RotatedTo != "":
		return fmt.Errorf("the revoked token was changed: %+v", rec.Token)
	}
	return want(pat.ErrRevoked, h.verify(h.store))
}

// has checks how many tokens the group has, and how many of them are not revoked.
func (h *house) has(all, live int) error {
	got := [2]int{}
	for i, revoked := range []bool{true, false} {
		page, err := h.List(ctx, pat.ListParams{GroupID: h.Token.GroupID, IncludeRevoked: revoked})
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

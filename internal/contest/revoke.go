package contest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/patkit/pat"
)

// ending is a way to end a token for good.
type ending struct {
	name string
	end  func(issuer *pat.Issuer, tok pat.Token) error
	all  bool // whether it ends the token's successor as well
}

func endings() []ending {
	revoke := func(issuer *pat.Issuer, tok pat.Token) error {
		_, err := issuer.Revoke(ctx, tok.ID)
		return err
	}
	return []ending{
		{"Revoke", revoke, false},
		{"RevokeAll of the user", func(issuer *pat.Issuer, tok pat.Token) error {
			_, err := issuer.RevokeAll(ctx, pat.Owner{UserID: tok.UserID})
			return err
		}, true},
		{"several Revokes at once", func(issuer *pat.Issuer, tok pat.Token) error {
			return errors.Join(together(4, func() error { return revoke(issuer, tok) })...)
		}, false},
		{"RevokeAll of the group", func(issuer *pat.Issuer, tok pat.Token) error {
			_, err := issuer.RevokeAll(ctx, pat.Owner{GroupID: tok.GroupID})
			return err
		}, true},
		{"Rotate without grace", func(issuer *pat.Issuer, tok pat.Token) error {
			_, err := issuer.Rotate(ctx, tok.ID, pat.RotateParams{})
			if errors.Is(err, pat.ErrRotated) { // somebody was first
				return revoke(issuer, tok)
			}
			return err
		}, false},
	}
}

// Revoke is one round: it creates a token, lets the parties and a [Storm] of its own work on it, ends it in one of
// several ways that take turns with the rounds, and in every third round purges it while they go on. It adds up the
// reports, and returns an error if a promise did not hold.
func Revoke(store pat.Store, round int, others ...Party) (Report, error) {
	issuer, err := pat.NewIssuer(store, issuing())
	if err != nil {
		return Report{}, err
	}
	storm, err := NewStorm(store)
	if err != nil {
		return Report{}, err
	}
	way := endings()[round%len(endings())]
	r := revocation{store: store, issuer: issuer, way: way, purges: round%3 == 2}
	report, err := r.run(fmt.Sprint(round), append([]Party{storm}, others...))
	if err != nil {
		return report, fmt.Errorf("round %d, ended by %s: %w", round, way.name, err)
	}
	return report, nil
}

// revocation is what happens in one round.
type revocation struct {
	store  pat.Store
	issuer *pat.Issuer
	way    ending
	purges bool
}

func (r *revocation) run(owner string, parties []Party) (Report, error) {
	issued, err := r.issuer.Create(ctx, pat.CreateParams{UserID: "user-" + owner, GroupID: "group-" + owner, Name: "name"})
	if err != nil {
		return Report{}, err
	}
	tok, value := issued.Token, issued.Value.Reveal()
	for i, party := range parties {
		if err := party.Start(tok.ID, value); err != nil {
			_, endErr := r.end(parties[:i+1], time.Time{})
			return Report{}, errors.Join(fmt.Errorf("party %d, start: %w", i, err), endErr)
		}
	}
	err = r.way.end(r.issuer, tok)
	revoked, getErr := r.issuer.Get(ctx, tok.ID)
	if err = errors.Join(err, getErr); err == nil && !revoked.Revoked() {
		err = errors.New("that the token is revoked was acknowledged, and is not so")
	}
	report, endErr := r.end(parties, revoked.RevokedAt)
	if err == nil && endErr == nil {
		err = r.check(revoked, value)
	}
	return report, errors.Join(err, endErr)
}

// end tells the parties of the end, purges meanwhile, and adds up what they report.
func (r *revocation) end(parties []Party, revokedAt time.Time) (total Report, err error) {
	reports, errs := make([]Report, len(parties)), make([]error, len(parties))
	var done sync.WaitGroup
	for i, party := range parties {
		done.Go(func() { reports[i], errs[i] = party.End() })
	}
	if r.purges {
		_, err = r.issuer.Purge(ctx, time.Now())
	}
	done.Wait()
	for i, report := range reports {
		if errs[i] != nil {
			err = errors.Join(err, fmt.Errorf("party %d: %w", i, errs[i]))
		}
		if !report.RevokedAt.IsZero() && !report.RevokedAt.Equal(revokedAt) {
			err = errors.Join(err, fmt.Errorf("party %d saw the token revoked at %v, not at %v", i, report.RevokedAt, revokedAt))
		}
		if report.Gone > 0 && !r.purges {
			err = errors.Join(err, fmt.Errorf("party %d did not find the token, which nobody had purged", i))
		}
		total = total.Plus(report)
	}
	total.RevokedAt, total.Gone = revokedAt, min(total.Gone, 1)
	return total, err
}

// check looks at the token when everybody has written what they had to write.
func (r *revocation) check(revoked pat.Token, value string) error {
	err := verifyOnce(r.store, issuing(), value)
	if err == nil {
		return errors.New("a verification when all was written succeeded")
	}
	if !errors.Is(err, pat.ErrRevoked) && (!r.purges || !errors.Is(err, pat.ErrUnknown)) {
		return fmt.Errorf("verify, when all was written: %w", err)
	}
	got, err := r.issuer.Revoke(ctx, revoked.ID)
	if err != nil && (!r.purges || !errors.Is(err, pat.ErrNotFound)) {
		return fmt.Errorf("revoke again: %w", err)
	}
	if err == nil && !got.RevokedAt.Equal(revoked.RevokedAt) {
		return fmt.Errorf("revoked at %v, and when all was written at %v", revoked.RevokedAt, got.RevokedAt)
	}
	left, err := r.issuer.List(ctx, pat.ListParams{UserID: revoked.UserID})
	if err != nil {
		return err
	}
	if n := len(left.Tokens); n > 1 || r.way.all && n > 0 {
		return fmt.Errorf("%d tokens are left unrevoked", n)
	}
	return nil
}

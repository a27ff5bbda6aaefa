package contest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/patkit/pat"
)

// groupLimit is that of all Crowds.
const groupLimit = 10

// Crowd lets many create a token for a group at the same time, in this process or in another one. It returns the ids
// of the tokens, and an error if a call failed with anything but [pat.ErrLimitReached].
type Crowd func(groupID string) (created []string, err error)

// NewCrowd returns a Crowd of n goroutines.
func NewCrowd(store pat.Store, n int) (Crowd, error) {
	issuer, err := pat.NewIssuer(store, pat.Config{GroupLimit: groupLimit})
	return func(groupID string) ([]string, error) {
		var mu sync.Mutex
		var created []string
		for _, err := range together(n, func() error {
			issued, err := create(issuer, groupID)
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				created = append(created, issued.Token.ID)
			}
			return err
		}) {
			if err != nil && !errors.Is(err, pat.ErrLimitReached) {
				return created, err // the first says enough
			}
		}
		return created, nil
	}, err
}

func create(issuer *pat.Issuer, groupID string) (pat.Issued, error) {
	return issuer.Create(ctx, pat.CreateParams{UserID: "user", GroupID: groupID, Name: "name"})
}

// LastPlace is one round: it fills a group up to the limit minus one, lets all crowds create at the same time, and
// returns an error unless one creator of all has got the last place. It then makes the place free for the next round.
func LastPlace(store pat.Store, round int, crowds ...Crowd) error {
	issuer, err := pat.NewIssuer(store, pat.Config{})
	if err != nil {
		return err
	}
	if err := lastPlace(issuer, crowds); err != nil {
		return fmt.Errorf("round %d: %w", round, err)
	}
	return nil
}

func lastPlace(issuer *pat.Issuer, crowds []Crowd) error {
	const groupID = "group"
	n, err := count(issuer, groupID)
	for ; err == nil && n < groupLimit-1; n++ {
		_, err = create(issuer, groupID)
	}
	if err != nil {
		return err
	}
	created := make([][]string, len(crowds))
	errs := make([]error, len(crowds))
	var done sync.WaitGroup
	for i, crowd := range crowds {
		done.Go(func() { created[i], errs[i] = crowd(groupID) })
	}
	done.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	var winners []string
	for _, ids := range created {
		winners = append(winners, ids...)
	}
	n, err = count(issuer, groupID)
	if err != nil {
		return err
	}
	if len(winners) != 1 || n != groupLimit {
		return fmt.Errorf("%d creators were told that they got the last place, and the group has %d tokens of %d", len(winners), n, groupLimit)
	}
	_, err = issuer.Revoke(ctx, winners[0])
	return err
}

// count returns how many tokens of the group are not revoked.
func count(issuer *pat.Issuer, groupID string) (int, error) {
	page, err := issuer.List(ctx, pat.ListParams{GroupID: groupID})
	return len(page.Tokens), err
}

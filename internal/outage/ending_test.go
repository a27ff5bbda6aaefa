package outage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/patkit/pat"
)

// ending is a way to end a token that has a user of its own.
type ending struct {
	name string
	end  func(ctx context.Context, s *service, tok pat.Token) error
}

var endings = []ending{
	{"Revoke", func(ctx context.Context, s *service, tok pat.Token) error {
		_, err := s.issuer.Revoke(ctx, tok.ID)
		return err
	}},
	{"RevokeAll", func(ctx context.Context, s *service, tok pat.Token) error {
		_, err := s.issuer.RevokeAll(ctx, pat.Owner{UserID: tok.UserID})
		return err
	}},
	{"Rotate without grace", func(ctx context.Context, s *service, tok pat.Token) error {
		_, err := s.issuer.Rotate(ctx, tok.ID, pat.RotateParams{})
		if errors.Is(err, pat.ErrRevoked) { // an earlier try has done it
			return nil
		}
		return err
	}},
	{"a change of owner by hand", func(ctx context.Context, s *service, tok pat.Token) error {
		_, err := s.pool.Exec(ctx, "UPDATE pat.pat_tokens SET user_id = $1 WHERE id = $2", nobody, tok.ID)
		return err
	}},
}

// ended is a token that was ended, and when: not before began, and no later than acknowledged.
type ended struct {
	pat.Issued
	way                 string
	began, acknowledged time.Time
	tries               int
}

// end ends a token, as often as it takes.
func (s *service) end(ctx context.Context, way ending, issued pat.Issued) (ended, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	e := ended{Issued: issued, way: way.name, began: time.Now()}
	for {
		e.tries++
		err := try(ctx, func(ctx context.Context) error { return way.end(ctx, s, issued.Token) })
		e.acknowledged = time.Now()
		if err == nil || ctx.Err() != nil {
			return e, err
		}
	}
}

// endAll ends tokens in all ways in turn, one at each tick.
func (s *service) endAll(ctx context.Context, tick time.Duration, issued []pat.Issued) ([]ended, error) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	var all []ended
	for i, one := range issued {
		e, err := s.end(ctx, endings[i%len(endings)], one)
		if err != nil {
			return all, fmt.Errorf("%s: %w", e.way, err)
		}
		all = append(all, e)
		<-ticker.C
	}
	return all, nil
}

// checkStays says whether a token that was ended is so in the database.
func (s *service) checkStays(ctx context.Context, e ended) error {
	tok, err := s.store.FindByID(ctx, e.Token.ID)
	if err == nil && !tok.Revoked() && tok.UserID != nobody {
		err = errors.New("it was acknowledged, and got lost")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", e.way, err)
	}
	return nil
}

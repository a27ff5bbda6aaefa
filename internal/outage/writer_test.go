package outage

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/patkit/pat"
	"github.com/patkit/pat/memory"
)

// creation is a token, under a name of its own, and what became of it.
type creation struct {
	name, through string
	issued        pat.Issued
	// err is nil if it was acknowledged.
	err error
	// tries counts the calls of Insert. More than one means that the outcome was unknown at first.
	tries int
}

// Ways to create a token.
const (
	throughIssuer = "issuer"
	atStore       = "store"
)

type creations []creation

func (c creations) acknowledged() (all []pat.Issued) {
	for _, one := range c {
		if one.err == nil {
			all = append(all, one.issued)
		}
	}
	return all
}

// repeated returns how many had an unknown outcome at first, and were found out.
func (c creations) repeated(through string) (n int) {
	for _, one := range c {
		if one.err == nil && one.tries > 1 && one.through == through {
			n++
		}
	}
	return n
}

// String returns the counts.
func (c creations) String() string {
	unknown := 0
	for _, one := range c {
		if errors.Is(one.err, pat.ErrOutcomeUnknown) {
			unknown++
		}
	}
	return fmt.Sprintf("%d creates, %d acknowledged, of which %d by the Issuer and %d at the store only when repeated; of %d the outcome stayed unknown",
		len(c), len(c.acknowledged()), c.repeated(throughIssuer), c.repeated(atStore), unknown)
}

// writers create tokens, until they are stopped.
type writers struct {
	stopped    chan struct{}
	goroutines sync.WaitGroup
	mu         sync.Mutex
	created    creations
}

// startWriters starts some that create through the Issuer, and some at the store, which repeat what has an unknown outcome.
func startWriters(t *testing.T, s *service) *writers {
	t.Helper()
	w := &writers{stopped: make(chan struct{})}
	create := func(through string, n int, write func(context.Context, *creation) error) {
		tick := time.NewTicker(30 * time.Millisecond)
		defer tick.Stop()
		for i := 0; !w.isStopped(); i++ {
			one := creation{name: fmt.Sprintf("%s-%d-%d", through, n, i), through: through}
			one.err = write(t.Context(), &one)
			w.add(one)
			<-tick.C
		}
	}
	for n := range 2 {
		w.goroutines.Go(func() { create(throughIssuer, n, s.createThroughIssuer) })
		w.goroutines.Go(func() { create(atStore, n, s.createAtStore) })
	}
	t.Cleanup(func() {
		if !w.isStopped() {
			w.stop()
		}
	})
	return w
}

func (w *writers) isStopped() bool {
	select {
	case <-w.stopped:
		return true
	default:
		return false
	}
}

func (w *writers) add(one creation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.created = append(w.created, one)
}

// acknowledged returns how many are by now.
func (w *writers) acknowledged() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.created.acknowledged())
}

func (w *writers) stop() creations {
	close(w.stopped)
	w.goroutines.Wait()
	return w.created
}

// createThroughIssuer creates a token once: an Issuer repeats by itself what has an unknown outcome.
func (s *service) createThroughIssuer(ctx context.Context, one *creation) error {
	issuer, err := pat.NewIssuer(&counting{s.store, &one.tries}, pat.Config{})
	if err != nil {
		return err
	}
	return try(ctx, func(ctx context.Context) (err error) {
		one.issued, err = issuer.Create(ctx, pat.CreateParams{UserID: one.name, GroupID: one.name, Name: one.name})
		return err
	})
}

// counting counts the calls of Insert.
type counting struct {
	pat.Store
	inserts *int
}

func (c *counting) Insert(ctx context.Context, rec pat.Record, limit int) error {
	*c.inserts++
	return c.Store.Insert(ctx, rec, limit)
}

// createAtStore repeats a call with an unknown outcome until that is known. The group has one place: a repetition that
// takes its own first try for another token would find no place left.
func (s *service) createAtStore(ctx context.Context, one *creation) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	rec, err := one.make(ctx)
	if err != nil {
		return err
	}
	for unknown := false; ; {
		one.tries++
		err := try(ctx, func(ctx context.Context) error { return s.store.Insert(ctx, rec, 1) })
		unknown = unknown || errors.Is(err, pat.ErrOutcomeUnknown)
		if err == nil || !unknown || errors.Is(err, pat.ErrExists) || errors.Is(err, pat.ErrLimitReached) || ctx.Err() != nil {
			return err
		}
	}
}

// make makes a record that is in no database yet.
func (c *creation) make(ctx context.Context) (pat.Record, error) {
	elsewhere := memory.New()
	issuer, err := pat.NewIssuer(elsewhere, pat.Config{})
	if err != nil {
		return pat.Record{}, err
	}
	c.issued, err = issuer.Create(ctx, pat.CreateParams{UserID: c.name, GroupID: c.name, Name: c.name})
	if err != nil {
		return pat.Record{}, err
	}
	return elsewhere.FindByPrefix(ctx, c.issued.Token.Prefix)
}

// checkCreated says whether each token is there as often as it should: once if it was acknowledged, at most once if that
// is unknown, and not at all if it was refused.
func (s *service) checkCreated(ctx context.Context, created creations) error {
	rows, err := s.pool.Query(ctx, "SELECT name FROM pat.pat_tokens")
	if err != nil {
		return err
	}
	defer rows.Close()
	there := make(map[string]int)
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		there[name]++
	}
	err = rows.Err()
	for _, one := range created {
		n := there[one.name]
		switch {
		case one.err == nil && n == 1, errors.Is(one.err, pat.ErrOutcomeUnknown) && n <= 1 && one.through == throughIssuer:
		case one.err == nil || n > 0 || errors.Is(one.err, pat.ErrOutcomeUnknown):
			err = errors.Join(err, fmt.Errorf("%s, tried %d times, is there %d times: %w", one.name, one.tries, n, one.err))
		}
	}
	return err
}

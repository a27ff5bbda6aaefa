package pat_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/memory"
)

// forgetful is a store that loses its database around the first writes: each element of lost is one write, true if it
// is done before.
type forgetful struct {
	pat.Store
	lost  []bool
	then  error // what further writes return, if not nil
	tries int
}

var errLost = fmt.Errorf("connection lost: %w", pat.ErrOutcomeUnknown)

func (f *forgetful) write(write func() error) error {
	f.tries++
	if len(f.lost) == 0 {
		if f.then != nil {
			return f.then
		}
		return write()
	}
	done := f.lost[0]
	f.lost = f.lost[1:]
	if done {
		if err := write(); err != nil {
			return err
		}
	}
	return errLost
}

func (f *forgetful) Insert(ctx context.Context, rec pat.Record, limit int) error {
	return f.write(func() error { return f.Store.Insert(ctx, rec, limit) })
}

func (f *forgetful) Rotate(ctx context.Context, rotation pat.Rotation) error {
	return f.write(func() error { return f.Store.Rotate(ctx, rotation) })
}

func (f *forgetful) Revoke(ctx context.Context, id string, at time.Time) (tok pat.Token, changed bool, err error) {
	err = f.write(func() (err error) {
		tok, changed, err = f.Store.Revoke(ctx, id, at)
		return err
	})
	if err != nil {
		return pat.Token{}, false, err
	}
	return tok, changed, nil
}

func TestAWriteOfUnknownOutcomeIsRepeatedUntilItIsKnown(t *testing.T) {
	errDown := errors.New("down")
	for _, test := range []struct {
		name  string
		lost  []bool
		then  error
		want  error
		tries int
	}{
		{name: "done, and the answer lost", lost: []bool{true}, tries: 2},
		{name: "not done", lost: []bool{false}, tries: 2},
		{name: "lost twice", lost: []bool{false, true}, tries: 3},
		{name: "lost for good", lost: []bool{true, true, true}, want: pat.ErrOutcomeUnknown, tries: 3},
		{name: "down after that, which answers nothing", lost: []bool{true}, then: errDown, want: pat.ErrOutcomeUnknown, tries: 3},
		{name: "corrupt after that", lost: []bool{true}, then: pat.ErrCorrupt, want: pat.ErrOutcomeUnknown, tries: 2},
		{name: "and says so", lost: []bool{true}, then: pat.ErrCorrupt, want: pat.ErrCorrupt, tries: 2},
		{name: "an answer after that", lost: []bool{false}, then: pat.ErrLimitReached, want: pat.ErrLimitReached, tries: 2},
		{name: "a failure whose outcome is known", then: errDown, want: errDown, tries: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			for name, call := range map[string]func(*pat.Issuer, string) (pat.Issued, error){
				"create": func(i *pat.Issuer, _ string) (pat.Issued, error) {
					return i.Create(t.Context(), pat.CreateParams{UserID: "alice", GroupID: "1", Name: "new"})
				},
				"rotate": func(i *pat.Issuer, id string) (pat.Issued, error) {
					return i.Rotate(t.Context(), id, pat.RotateParams{})
				},
			} {
				store := &forgetful{Store: memory.New()}
				issuer, err := pat.NewIssuer(store, pat.Config{})
				require.NoError(t, err)
				old, err := issuer.Create(t.Context(), pat.CreateParams{UserID: "bob", GroupID: "2", Name: "old"})
				require.NoError(t, err)

				store.lost, store.then, store.tries = test.lost, test.then, 0
				issued, err := call(issuer, old.Token.ID)
				assert.Equal(t, test.tries, store.tries, name)
				if test.want != nil {
					require.ErrorIs(t, err, test.want, name)
					continue
				}
				require.NoError(t, err, name)
				verifier, err := pat.NewVerifier(store, pat.Config{})
				require.NoError(t, err)
				_, err = verifier.Verify(t.Context(), issued.Value.Reveal())
				require.NoError(t, err, name)
				page, err := issuer.List(t.Context(), pat.ListParams{GroupID: issued.Token.GroupID, IncludeRevoked: true})
				require.NoError(t, err)
				assert.Len(t, page.Tokens, map[string]int{"create": 1, "rotate": 2}[name], "neither lost nor doubled by %s", name)
			}
		})
	}
}

func TestAWriteOfUnknownOutcomeIsNotRepeatedOnceTheContextIsDone(t *testing.T) {
	store := &forgetful{Store: memory.New(), lost: []bool{true, true}}
	ctx, cancel := context.WithCancel(t.Context())
	cutting := &cutting{forgetful: store, cancel: cancel}
	issuer, err := pat.NewIssuer(cutting, pat.Config{})
	require.NoError(t, err)
	_, err = issuer.Create(ctx, pat.CreateParams{UserID: "alice", GroupID: "1", Name: "new"})
	require.ErrorIs(t, err, pat.ErrOutcomeUnknown)
	assert.Equal(t, 1, store.tries)
}

func TestARevocationOfUnknownOutcomeIsRepeatedAndReportedOnce(t *testing.T) {
	for _, lost := range [][]bool{{true}, {false}, {false, true}, {true, true}} {
		t.Run(fmt.Sprint(lost), func(t *testing.T) {
			store := &forgetful{Store: memory.New()}
			var events []pat.EventType
			issuer, err := pat.NewIssuer(store, pat.Config{OnEvent: func(_ context.Context, e pat.Event) { events = append(events, e.Type) }})
			require.NoError(t, err)
			issued, err := issuer.Create(t.Context(), pat.CreateParams{UserID: "alice", GroupID: "1", Name: "new"})
			require.NoError(t, err)
			store.lost = lost
			tok, err := issuer.Revoke(t.Context(), issued.Token.ID)
			require.NoError(t, err)
			assert.True(t, tok.Revoked())
			_, err = issuer.Revoke(t.Context(), issued.Token.ID)
			require.NoError(t, err)
			assert.Equal(t, []pat.EventType{pat.EventCreated, pat.EventRevoked}, events)
		})
	}
}

// cutting ends the caller's context within the write.
type cutting struct {
	*forgetful
	cancel context.CancelFunc
}

func (c *cutting) Insert(ctx context.Context, rec pat.Record, limit int) error {
	defer c.cancel()
	return c.forgetful.Insert(ctx, rec, limit)
}

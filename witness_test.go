package pat_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/leak"
	"github.com/patkit/pat/memory"
)

// witness is a store that writes down all that it is told, by method.
type witness struct {
	pat.Store
	mu   sync.Mutex
	told map[string]string
}

func (w *witness) note(method string, arguments ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range arguments {
		switch a := a.(type) {
		case pat.Record:
			w.told[method] += fmt.Sprintf("%+v %s\n", a.Token, a.Digest.Encoded())
		case pat.Digest:
			w.told[method] += a.Encoded() + "\n"
		default:
			w.told[method] += fmt.Sprintf("%+v\n", a)
		}
	}
}

func (w *witness) Insert(ctx context.Context, rec pat.Record, limit int) error {
	w.note("Insert", rec)
	return w.Store.Insert(ctx, rec, limit)
}

func (w *witness) FindByPrefix(ctx context.Context, prefix string) (pat.Record, error) {
	w.note("FindByPrefix", prefix)
	return w.Store.FindByPrefix(ctx, prefix)
}

func (w *witness) FindByID(ctx context.Context, id string) (pat.Token, error) {
	w.note("FindByID", id)
	return w.Store.FindByID(ctx, id)
}

func (w *witness) List(ctx context.Context, query pat.ListQuery) ([]pat.Token, error) {
	w.note("List", query)
	return w.Store.List(ctx, query)
}

func (w *witness) Rotate(ctx context.Context, r pat.Rotation) error {
	w.note("Rotate", r.OldID, r.New)
	return w.Store.Rotate(ctx, r)
}

func (w *witness) Revoke(ctx context.Context, id string, at time.Time) (pat.Token, bool, error) {
	w.note("Revoke", id)
	return w.Store.Revoke(ctx, id, at)
}

func (w *witness) RevokeAll(ctx context.Context, owner pat.Owner, at time.Time) ([]pat.Token, error) {
	w.note("RevokeAll", owner)
	return w.Store.RevokeAll(ctx, owner, at)
}

func (w *witness) Touch(ctx context.Context, uses []pat.Use) error {
	w.note("Touch", uses)
	return w.Store.Touch(ctx, uses)
}

func (w *witness) ReplaceDigest(ctx context.Context, prefix string, old, next pat.Digest) (bool, error) {
	w.note("ReplaceDigest", prefix, old, next)
	return w.Store.ReplaceDigest(ctx, prefix, old, next)
}

func TestTheStoreNeverSeesAValue(t *testing.T) {
	ctx := t.Context()
	w := &witness{Store: memory.New(), told: make(map[string]string)}
	cfg := importing(pat.Config{})
	issuer, err := pat.NewIssuer(w, cfg)
	require.NoError(t, err)
	verifier, err := pat.NewVerifier(w, cfg)
	require.NoError(t, err)
	issued, err := issuer.Create(ctx, pat.CreateParams{UserID: "alice", GroupID: "1", Name: "ci"})
	require.NoError(t, err)
	rotated, err := issuer.Rotate(ctx, issued.Token.ID, pat.RotateParams{})
	require.NoError(t, err)
	_, err = issuer.Import(ctx, importParams(t))
	require.NoError(t, err)
	values := []string{issued.Value.Reveal(), rotated.Value.Reveal(), oldValue}
	for _, value := range values {
		_, _ = verifier.Verify(ctx, value)
		_, _ = verifier.Verify(ctx, value[:len(value)-1]+"!")
		_, _ = issuer.Get(ctx, value)
		_, _ = issuer.Rotate(ctx, value, pat.RotateParams{})
		_, _ = issuer.Revoke(ctx, value)
		_, _ = issuer.List(ctx, pat.ListParams{UserID: "alice", Cursor: value})
	}
	_, err = issuer.List(ctx, pat.ListParams{UserID: "alice"})
	require.NoError(t, err)
	require.NoError(t, verifier.Close(ctx)) // which writes last-used times, and a digest in the place of the imported one
	_, err = issuer.Revoke(ctx, rotated.Token.ID)
	require.NoError(t, err)
	_, err = issuer.RevokeAll(ctx, pat.Owner{UserID: "alice"})
	require.NoError(t, err)

	assert.Len(t, w.told, 9, "every method that is told something, which leaves out Purge")
	for method, told := range w.told {
		for _, value := range values {
			secret := value[strings.LastIndexAny(value, "-.")+1:]
			assert.Empty(t, leak.Find(told, secret), method)
		}
	}
	assert.Contains(t, w.told["FindByPrefix"], rotated.Token.Prefix, "it is the prefix that it is told")
}

package storetest

import (
	"context"
	"time"

	"github.com/patkit/pat"
)

// contextCases has a case for each method: a context that is done before the call.
func contextCases() []testCase {
	calls := []struct {
		method string
		call   func(ctx context.Context, h *harness, rec pat.Record) error
	}{
		{"Insert", func(ctx context.Context, h *harness, _ pat.Record) error { return h.store.Insert(ctx, h.record(), 10) }},
		{"FindByPrefix", func(ctx context.Context, h *harness, rec pat.Record) error {
			_, err := h.store.FindByPrefix(ctx, rec.Token.Prefix)
			return err
		}},
		{"FindByPrefix of an absent prefix", func(ctx context.Context, h *harness, _ pat.Record) error {
			_, err := h.store.FindByPrefix(ctx, "absentPrefix")
			return err
		}},
		{"FindByID", func(ctx context.Context, h *harness, rec pat.Record) error {
			_, err := h.store.FindByID(ctx, rec.Token.ID)
			return err
		}},
		{"FindByID of an absent id", func(ctx context.Context, h *harness, _ pat.Record) error {
			_, err := h.store.FindByID(ctx, numberedID(4711))
			return err
		}},
		{"List", func(ctx context.Context, h *harness, _ pat.Record) error {
			_, err := h.store.List(ctx, pat.ListQuery{Owner: pat.Owner{GroupID: "group-1"}, Limit: 10})
			return err
		}},
		{"Rotate", func(ctx context.Context, h *harness, rec pat.Record) error {
			return h.store.Rotate(ctx, pat.Rotation{OldID: rec.Token.ID, At: later(1), End: later(1), New: h.successor(rec)})
		}},
		{"Revoke", func(ctx context.Context, h *harness, rec pat.Record) error {
			_, _, err := h.store.Revoke(ctx, rec.Token.ID, later(1))
			return err
		}},
		{"RevokeAll", func(ctx context.Context, h *harness, _ pat.Record) error {
			_, err := h.store.RevokeAll(ctx, pat.Owner{GroupID: "group-1"}, later(1))
			return err
		}},
		{"Touch", func(ctx context.Context, h *harness, rec pat.Record) error {
			return h.store.Touch(ctx, []pat.Use{{Prefix: rec.Token.Prefix, At: later(1)}})
		}},
		{"ReplaceDigest", func(ctx context.Context, h *harness, rec pat.Record) error {
			_, err := h.store.ReplaceDigest(ctx, rec.Token.Prefix, rec.Digest, digest("next"))
			return err
		}},
		{"Purge", func(ctx context.Context, h *harness, _ pat.Record) error {
			_, err := h.store.Purge(ctx, later(1000), 10)
			return err
		}},
	}
	var cases []testCase
	for _, c := range calls {
		cases = append(cases, testCase{
			name: "Context/" + c.method,
			rule: "A call whose context is done before it returns the error of the context, and no other, and has changed nothing.",
			run: func(h *harness) {
				rec := h.added()
				canceled, cancel := context.WithCancel(ctx)
				cancel()
				h.fails(c.call(canceled, h, rec), context.Canceled, c.method+" with a canceled context")
				expired, cancel := context.WithDeadline(ctx, time.Now().Add(-time.Hour))
				defer cancel()
				h.fails(c.call(expired, h, rec), context.DeadlineExceeded, c.method+" after the deadline")
				h.holds(rec)
				h.onlyOwned(pat.Owner{GroupID: "group-1"}, 1)
			},
		})
	}
	return cases
}

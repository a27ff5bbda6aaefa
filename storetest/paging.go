package storetest

import (
	"math"
	"time"

	"github.com/patkit/pat"
)

var pagingCases = []testCase{
	{
		name: "Paging/a page has at most Limit tokens",
		rule: "List returns at most Limit tokens, the newest ones, and fewer only where there are no more.",
		run: func(h *harness) {
			ids := h.newestIDs(5)
			for limit := 1; limit <= 7; limit++ {
				tokens, err := h.store.List(ctx, pat.ListQuery{Owner: pat.Owner{GroupID: "group-1"}, Limit: limit})
				h.ok(err, "List")
				h.sameIDs(tokens, ids[:min(limit, len(ids))], "List")
			}
		},
	},
	{
		name: "Paging/pages have no gaps and no repetitions",
		rule: "With After at the last token of a page, List goes on with the next one, also where several were created in the same microsecond.",
		run: func(h *harness) {
			ids := h.newestIDs(11)
			for _, owner := range []pat.Owner{{UserID: "user-1"}, {GroupID: "group-1"}, {UserID: "user-1", GroupID: "group-1"}} {
				for limit := 1; limit <= len(ids)+1; limit++ {
					h.sameIDs(h.pages(owner, true, limit), ids, "List in pages")
				}
			}
		},
	},
	{
		name: "Paging/revoked tokens leave no holes",
		rule: "Without IncludeRevoked, a page has Limit tokens that are not revoked, if there are so many behind After.",
		run: func(h *harness) {
			var living []string
			for i := range 12 {
				if i%3 == 0 {
					living = append([]string{h.added(createdAt(later(i))).Token.ID}, living...)
				} else {
					h.revoked(createdAt(later(i)))
				}
			}
			for limit := 1; limit <= 5; limit++ {
				h.sameIDs(h.pages(pat.Owner{GroupID: "group-1"}, false, limit), living, "List in pages")
			}
		},
	},
	{
		name: "Paging/a position needs no token",
		rule: "List goes on behind the position in After, whether or not a token is there any more.",
		run: func(h *harness) {
			first, gone, last := h.added(createdAt(later(3))), h.revoked(createdAt(later(0))), h.added(createdAt(later(-1)))
			after := position(gone.Token)
			_, err := h.store.Purge(ctx, later(2), 10)
			h.ok(err, "Purge")
			h.lacks(gone)
			h.sameIDs(h.after(after), []string{last.Token.ID}, "List after a purged token")
			h.sameIDs(h.after(pat.Position{CreatedAt: later(3), ID: numberedID(0xfff)}), []string{first.Token.ID, last.Token.ID},
				"List after a position just before the first token")
			h.sameIDs(h.after(pat.Position{CreatedAt: later(3), ID: numberedID(0)}), []string{last.Token.ID},
				"List after a position just behind the first token")
			h.sameIDs(h.after(pat.Position{CreatedAt: later(-2), ID: numberedID(0)}), nil, "List after a position behind all tokens")
		},
	},
	{
		name: "Paging/a position may have any time",
		rule: "A position comes out of a cursor, which a client can make up. A time that no token and no database can have is " +
			"before or behind all tokens like any other.",
		run: func(h *harness) {
			rec := h.added()
			for _, micros := range []int64{math.MaxInt64, 1 << 62, latest.UnixMicro() + 1} {
				p := pat.Position{CreatedAt: time.UnixMicro(micros).UTC(), ID: numberedID(0)}
				h.sameIDs(h.after(p), []string{rec.Token.ID}, "List after a position in the far future")
			}
			for _, micros := range []int64{math.MinInt64, -1 << 62, -1} {
				p := pat.Position{CreatedAt: time.UnixMicro(micros).UTC(), ID: numberedID(0xfff)}
				h.sameIDs(h.after(p), nil, "List after a position in the far past")
			}
		},
	},
	{
		name: "Paging/new tokens don't shift pages",
		rule: "Tokens created between two calls of List do not move the position: the next page has neither gaps nor repetitions.",
		run: func(h *harness) {
			ids := h.newestIDs(4)
			tokens, err := h.store.List(ctx, pat.ListQuery{Owner: pat.Owner{GroupID: "group-1"}, Limit: 2})
			h.ok(err, "List")
			h.added(createdAt(later(50)))
			h.sameIDs(h.after(position(tokens[1])), ids[2:], "List of the second page")
		},
	},
}

// latest is the end of the last year in which a token can have a time.
var latest = time.Date(9999, time.January, 1, 0, 0, 0, 0, time.UTC)

// newestIDs adds n tokens, each two or three of them created in the same microsecond, and returns their ids, newest
// first.
func (h *harness) newestIDs(n int) []string {
	h.Helper()
	var ids []string
	for i := range n {
		rec := h.added(createdAt(base.Add(time.Duration(i/3) * time.Microsecond)))
		ids = append([]string{rec.Token.ID}, ids...)
	}
	return ids
}

// pages reads a whole list in pages.
func (h *harness) pages(owner pat.Owner, includeRevoked bool, limit int) []pat.Token {
	h.Helper()
	query := pat.ListQuery{Owner: owner, IncludeRevoked: includeRevoked, Limit: limit}
	var all []pat.Token
	for range 1000 { // a store that passes over After would go on for ever
		page, err := h.store.List(ctx, query)
		h.ok(err, "List")
		if len(page) > limit {
			h.fatalf("List returned %d tokens, and Limit is %d", len(page), limit)
		}
		all = append(all, page...)
		if len(page) < limit {
			return all
		}
		query.After = position(page[len(page)-1])
	}
	h.fatalf("List in pages of %d does not end", limit)
	return nil
}

// after returns the tokens of group-1 behind a position.
func (h *harness) after(p pat.Position) []pat.Token {
	h.Helper()
	tokens, err := h.store.List(ctx, pat.ListQuery{Owner: pat.Owner{GroupID: "group-1"}, IncludeRevoked: true, After: p, Limit: 10})
	h.ok(err, "List")
	return tokens
}

func position(tok pat.Token) pat.Position { return pat.Position{CreatedAt: tok.CreatedAt, ID: tok.ID} }

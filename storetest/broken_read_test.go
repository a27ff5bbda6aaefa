package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/patkit/pat"
)

var brokenReads = []breakage{
	{"returns an empty record for an absent prefix", "FindByPrefix/an absent prefix is not found", breaking(func(b *broken) {
		b.findByPrefix = func(ctx context.Context, prefix string) (pat.Record, error) {
			rec, err := b.Store.FindByPrefix(ctx, prefix)
			if errors.Is(err, pat.ErrNotFound) {
				return rec, nil
			}
			return rec, err
		}
	})},
	{"calls an absent prefix an invalid token", "FindByPrefix/an absent prefix is not found", breaking(func(b *broken) {
		b.findByPrefix = func(ctx context.Context, prefix string) (pat.Record, error) {
			rec, err := b.Store.FindByPrefix(ctx, prefix)
			if err != nil {
				err = errors.Join(err, pat.ErrUnknown)
			}
			return rec, err
		}
	})},
	{"ignores case", "FindByPrefix/only the very prefix finds", breaking(func(b *broken) {
		actual := make(map[string]string)
		b.insert = func(ctx context.Context, rec pat.Record, limit int) error {
			actual[strings.ToLower(rec.Token.Prefix)] = rec.Token.Prefix
			return b.Store.Insert(ctx, rec, limit)
		}
		b.findByPrefix = func(ctx context.Context, prefix string) (pat.Record, error) {
			return b.Store.FindByPrefix(ctx, actual[strings.ToLower(prefix)])
		}
	})},
	{"ignores trailing spaces", "FindByPrefix/only the very prefix finds", breaking(func(b *broken) {
		b.findByPrefix = func(ctx context.Context, prefix string) (pat.Record, error) {
			return b.Store.FindByPrefix(ctx, strings.TrimRight(prefix, " "))
		}
	})},
	{"fails where it is asked for no prefix", "FindByPrefix/only the very prefix finds", breaking(func(b *broken) {
		b.findByPrefix = func(ctx context.Context, prefix string) (pat.Record, error) {
			if strings.Contains(prefix, "\x00") {
				return pat.Record{}, errors.New("invalid byte sequence")
			}
			return b.Store.FindByPrefix(ctx, prefix)
		}
	})},
	{"finds the wrong record", "FindByPrefix/each prefix finds its own record", breaking(func(b *broken) {
		b.findByPrefix = func(ctx context.Context, prefix string) (pat.Record, error) {
			if strings.HasSuffix(prefix, "257") {
				prefix = strings.TrimSuffix(prefix, "257") + "001" // as if it had compared a single byte
			}
			return b.Store.FindByPrefix(ctx, prefix)
		}
	})},
	{"hides revoked tokens", "FindByPrefix/revoked and expired tokens are found", breaking(func(b *broken) {
		b.findByPrefix = func(ctx context.Context, prefix string) (pat.Record, error) {
			rec, err := b.Store.FindByPrefix(ctx, prefix)
			if rec.Token.Revoked() {
				return pat.Record{}, pat.ErrNotFound
			}
			return rec, err
		}
	})},
	{"has an error of its own for an absent id", "FindByID/an absent id is not found", breaking(func(b *broken) {
		b.findByID = func(ctx context.Context, id string) (pat.Token, error) {
			tok, err := b.Store.FindByID(ctx, id)
			if errors.Is(err, pat.ErrNotFound) {
				return tok, errors.New("no rows")
			}
			return tok, err
		}
	})},
	{"takes an id in upper case", "FindByID/what is no id", breaking(func(b *broken) {
		b.findByID = func(ctx context.Context, id string) (pat.Token, error) {
			return b.Store.FindByID(ctx, strings.ToLower(id))
		}
	})},
	{"takes what is no id for a fault", "FindByID/what is no id", breaking(func(b *broken) {
		b.findByID = func(ctx context.Context, id string) (pat.Token, error) {
			if len(id) != len(numberedID(0)) {
				return pat.Token{}, errors.New("invalid input syntax for type uuid")
			}
			return b.Store.FindByID(ctx, id)
		}
	})},
	{"finds the wrong token", "FindByID/each id finds its own token", breaking(func(b *broken) {
		b.findByID = func(ctx context.Context, id string) (pat.Token, error) {
			return b.Store.FindByID(ctx, id[:len(id)-1]+"1")
		}
	})},

	{"lists oldest first", "List/newest first", breaking(func(b *broken) {
		b.list = func(ctx context.Context, query pat.ListQuery) ([]pat.Token, error) {
			tokens, err := b.Store.List(ctx, query)
			slices.Reverse(tokens)
			return tokens, err
		}
	})},
	{"lists by id", "List/newest first", listing(func(all []pat.Token, _ pat.ListQuery) []pat.Token {
		slices.SortFunc(all, func(x, y pat.Token) int { return strings.Compare(y.ID, x.ID) })
		return all
	})},
	{"lists equal times in ascending order", "List/tokens of the same microsecond are ordered by id",
		listing(func(all []pat.Token, _ pat.ListQuery) []pat.Token {
			slices.SortFunc(all, func(x, y pat.Token) int {
				if c := y.CreatedAt.Compare(x.CreatedAt); c != 0 {
					return c
				}
				return strings.Compare(x.ID, y.ID)
			})
			return all
		})},
	{"orders by milliseconds", "List/a microsecond apart is in order", listing(func(all []pat.Token, _ pat.ListQuery) []pat.Token {
		slices.SortFunc(all, func(x, y pat.Token) int {
			if c := int(y.CreatedAt.UnixMilli() - x.CreatedAt.UnixMilli()); c != 0 {
				return c
			}
			return strings.Compare(y.ID, x.ID)
		})
		return all
	})},
	{"lists user or group instead of both", "List/only the owner's tokens", listing(func(all []pat.Token, query pat.ListQuery) []pat.Token {
		return slices.DeleteFunc(all, func(t pat.Token) bool { return t.UserID != query.Owner.UserID && t.GroupID != query.Owner.GroupID })
	})},
	{"shows the tokens of a user whose id differs in case", "List/only the owner's tokens",
		listing(func(all []pat.Token, query pat.ListQuery) []pat.Token {
			return slices.DeleteFunc(all, func(t pat.Token) bool {
				return query.Owner.UserID != "" && !strings.EqualFold(t.UserID, query.Owner.UserID) ||
					query.Owner.GroupID != "" && t.GroupID != query.Owner.GroupID
			})
		})},
	{"takes an unknown owner for an error", "List/an unknown owner has no tokens", breaking(func(b *broken) {
		b.list = func(ctx context.Context, query pat.ListQuery) ([]pat.Token, error) {
			tokens, err := b.Store.List(ctx, query)
			if err == nil && len(tokens) == 0 {
				err = pat.ErrNotFound
			}
			return tokens, err
		}
	})},
	{"lists revoked tokens always", "List/revoked tokens on request", breaking(func(b *broken) {
		b.list = func(ctx context.Context, query pat.ListQuery) ([]pat.Token, error) {
			query.IncludeRevoked = true
			return b.Store.List(ctx, query)
		}
	})},
	{"hides expired tokens", "List/revoked tokens on request", breaking(func(b *broken) {
		b.list = func(ctx context.Context, query pat.ListQuery) ([]pat.Token, error) {
			tokens, err := b.Store.List(ctx, query)
			return slices.DeleteFunc(tokens, func(t pat.Token) bool { return t.Expired(base) }), err
		}
	})},

	{"lists one more than asked for", "Paging/a page has at most Limit tokens", breaking(func(b *broken) {
		b.list = func(ctx context.Context, query pat.ListQuery) ([]pat.Token, error) {
			query.Limit++
			return b.Store.List(ctx, query)
		}
	})},
	{"repeats the last token of a page", "Paging/pages have no gaps and no repetitions",
		listing(func(all []pat.Token, query pat.ListQuery) []pat.Token {
			if i := slices.IndexFunc(all, func(t pat.Token) bool { return t.ID == query.After.ID }); i > 0 {
				return all[i:]
			}
			return all
		})},
	{"goes on behind the time alone", "Paging/pages have no gaps and no repetitions",
		listing(func(all []pat.Token, query pat.ListQuery) []pat.Token {
			return slices.DeleteFunc(all, func(t pat.Token) bool {
				return query.After != (pat.Position{}) && !t.CreatedAt.Before(query.After.CreatedAt)
			})
		})},
	{"looks for revoked tokens after counting", "Paging/revoked tokens leave no holes", breaking(func(b *broken) {
		b.list = func(ctx context.Context, query pat.ListQuery) ([]pat.Token, error) {
			query.IncludeRevoked = true
			tokens, err := b.Store.List(ctx, query)
			return slices.DeleteFunc(tokens, pat.Token.Revoked), err
		}
	})},
	{"needs the token of the position", "Paging/a position needs no token", breaking(func(b *broken) {
		b.list = func(ctx context.Context, query pat.ListQuery) ([]pat.Token, error) {
			if query.After != (pat.Position{}) {
				if _, err := b.Store.FindByID(ctx, query.After.ID); err != nil {
					return nil, err
				}
			}
			return b.Store.List(ctx, query)
		}
	})},
	{"can't take a time that its database does not have", "Paging/a position may have any time", breaking(func(b *broken) {
		b.list = func(ctx context.Context, query pat.ListQuery) ([]pat.Token, error) {
			if query.After.CreatedAt.Year() < -4712 && query.After != (pat.Position{}) { // the first one of PostgreSQL
				return nil, errors.New("timestamp out of range")
			}
			return b.Store.List(ctx, query)
		}
	})},
	{"goes on at a number of tokens", "Paging/new tokens don't shift pages", breaking(func(b *broken) {
		offset := 0
		b.list = func(ctx context.Context, query pat.ListQuery) ([]pat.Token, error) {
			tokens, err := b.Store.List(ctx, pat.ListQuery{Owner: query.Owner, IncludeRevoked: true, Limit: 1000})
			tokens = tokens[offset:]
			tokens = tokens[:min(len(tokens), query.Limit)]
			offset += len(tokens)
			return tokens, err
		}
	})},

	{"returns its own list", "Aliasing/what List returned is the caller's", breaking(func(b *broken) {
		var own []pat.Token
		b.list = func(ctx context.Context, query pat.ListQuery) (_ []pat.Token, err error) {
			if own == nil {
				own, err = b.Store.List(ctx, query)
			}
			return own, err
		}
	})},
	{"keeps the prefix in a cache", "Aliasing/the prefix asked for is not kept", breaking(func(b *broken) {
		cache := make(map[string]pat.Record)
		b.findByPrefix = func(ctx context.Context, prefix string) (pat.Record, error) {
			rec, err := b.Store.FindByPrefix(ctx, prefix)
			if err == nil {
				cache[prefix] = rec
			}
			return rec, err
		}
		b.touch = func(context.Context, []pat.Use) error { return errors.New(cache["absent"].Token.ID) }
	})},
	{"remembers absent prefixes", "Aliasing/the prefix asked for is not kept", breaking(func(b *broken) {
		absent := make(map[string]bool)
		b.findByPrefix = func(ctx context.Context, prefix string) (pat.Record, error) {
			rec, err := b.Store.FindByPrefix(ctx, prefix)
			absent[prefix] = err != nil && !absent[prefix]
			return rec, err
		}
	})},
	{"returns the prefix asked for", "Aliasing/the prefix asked for is not kept", breaking(func(b *broken) {
		b.findByPrefix = func(ctx context.Context, prefix string) (pat.Record, error) {
			rec, err := b.Store.FindByPrefix(ctx, prefix)
			rec.Token.Prefix = prefix
			return rec, err
		}
	})},
	{"reads from a replica that is behind", "Concurrency/every goroutine sees what was written", breaking(func(b *broken) {
		var mu sync.Mutex
		replica := make(map[string]pat.Record)
		b.findByPrefix = func(ctx context.Context, prefix string) (pat.Record, error) {
			rec, err := b.Store.FindByPrefix(ctx, prefix)
			mu.Lock()
			defer mu.Unlock()
			if behind, ok := replica[prefix]; ok && err == nil {
				return behind, nil
			}
			if err == nil {
				replica[prefix] = rec
			}
			return rec, err
		}
	})},
}

package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"time"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/peer"
	"github.com/patkit/pat/memory"
	"github.com/patkit/pat/sqlite"
)

// workload is an endless series of writes. Each is a function of the seed and of its number alone, so that a process
// that crashes and the one that checks what is left of its work need to tell each other nothing but numbers.
type workload struct{ seed uint64 }

// task says what a process has to do of a workload: to write on, from the write with the number n, to the database at
// path.
func (w workload) task(n int, path string) string { return fmt.Sprintf("%d %d %q", w.seed, n, path) }

// parseTask reads what task has written.
func parseTask(task string) (w workload, n int, path string) {
	_, err := fmt.Sscanf(task, "%d %d %q", &w.seed, &n, &path)
	peer.Must(err)
	return w, n, path
}

// kind returns which method a write calls. The first one adds a token, so that there always is an earlier token.
func (w workload) kind(n int) string {
	chance := rand.New(rand.NewPCG(w.seed, uint64(n))).IntN(100)
	switch {
	case n == 0 || chance < 40:
		return "insert"
	case chance < 55:
		return "revoke"
	case chance < 70:
		return "rotate"
	case chance < 80:
		return "touch"
	case chance < 90:
		return "replace digest"
	case chance < 95:
		return "revoke all"
	}
	return "purge"
}

// write does the write with the number n. That a token can't be revoked or rotated, because it is gone or has been
// revoked before, is no failure.
func (w workload) write(s pat.Store, n int) error {
	err := w.call(s, n)
	for _, answer := range []error{pat.ErrNotFound, pat.ErrRevoked, pat.ErrExpired, pat.ErrRotated} {
		if errors.Is(err, answer) {
			return nil
		}
	}
	return err
}

func (w workload) call(s pat.Store, n int) (err error) {
	random := rand.New(rand.NewPCG(w.seed, ^uint64(n)))
	at := w.time(n)
	switch kind := w.kind(n); kind {
	case "insert":
		return s.Insert(ctx, w.record(n), 0)
	case "revoke":
		_, _, err = s.Revoke(ctx, tokenID(w.earlier(n, random)), at)
	case "rotate":
		next, grace := w.record(n), time.Duration(random.IntN(2))*time.Minute
		next.Token.RotatedFrom = tokenID(w.earlier(n, random))
		return s.Rotate(ctx, pat.Rotation{OldID: next.Token.RotatedFrom, At: at, End: at.Add(grace), New: next})
	case "touch":
		var uses []pat.Use
		for range 5 {
			uses = append(uses, pat.Use{Prefix: tokenPrefix(w.earlier(n, random)), At: at})
		}
		return s.Touch(ctx, uses)
	case "replace digest":
		old := w.earlier(n, random)
		_, err = s.ReplaceDigest(ctx, tokenPrefix(old), tokenDigest(old), tokenDigest(n))
	case "revoke all":
		_, err = s.RevokeAll(ctx, pat.Owner{UserID: tokenUser(random.IntN(n))}, at)
	case "purge":
		_, err = s.Purge(ctx, at.Add(-time.Minute), 1_000_000)
	default:
		err = errors.New("no such kind: " + kind)
	}
	return err
}

// earlier returns the number of a recent write that added a token.
func (w workload) earlier(n int, random *rand.Rand) int {
	old := max(0, n-1-random.IntN(12))
	for w.kind(old) != "insert" && w.kind(old) != "rotate" {
		old--
	}
	return old
}

func (w workload) time(n int) time.Time {
	return time.Date(2031, 3, 4, 5, 6, n, 0, time.UTC) // which may be more seconds than a minute has
}

func (w workload) record(n int) pat.Record {
	rec := pat.Record{Digest: tokenDigest(n), Token: pat.Token{
		ID: tokenID(n), UserID: tokenUser(n), GroupID: "group", Name: "name", Prefix: tokenPrefix(n), CreatedAt: w.time(n), UpdatedAt: w.time(n),
	}}
	if n%3 == 0 {
		rec.Token.ExpiresAt = w.time(n).Add(30 * time.Second)
	}
	return rec
}

func tokenID(n int) string     { return fmt.Sprintf("0199c0de-0000-7000-8000-%012x", n) }
func tokenPrefix(n int) string { return fmt.Sprintf("prefix%06d", n) }
func tokenUser(n int) string   { return fmt.Sprintf("user%d", n%5) }

// tokenDigest returns a digest that differs from the others also in its length.
func tokenDigest(n int) pat.Digest {
	digest, err := pat.ParseDigest("sha256$$" + strings.Repeat(fmt.Sprintf("%08d", n), 4+n%9))
	peer.Must(err)
	return digest
}

// contents returns what a store holds after the first so many writes. Package memory is the judge: it passes the same
// conformance suite, and has no file that could break.
func (w workload) contents(writes int) ([]pat.Record, error) {
	s := memory.New()
	for n := range writes {
		if err := w.write(s, n); err != nil {
			return nil, err
		}
	}
	return contents(s)
}

// contents returns everything that the store holds.
func contents(s pat.Store) ([]pat.Record, error) {
	tokens, err := s.List(ctx, pat.ListQuery{Owner: pat.Owner{GroupID: "group"}, IncludeRevoked: true, Limit: 1_000_000})
	if err != nil {
		return nil, err
	}
	recs := make([]pat.Record, len(tokens))
	for i, tok := range tokens {
		if recs[i], err = s.FindByPrefix(ctx, tok.Prefix); err != nil {
			return nil, err
		}
		if !reflect.DeepEqual(recs[i].Token, tok) {
			return nil, fmt.Errorf("listed as %+v, and found as %+v", tok, recs[i].Token)
		}
	}
	return recs, nil
}

// contentsOfFile opens a database, as after a crash, and returns everything that it holds.
func contentsOfFile(path string) ([]pat.Record, error) {
	s, err := sqlite.Open(path)
	if err != nil {
		return nil, err
	}
	recs, err := contents(s)
	if err := errors.Join(err, s.Close()); err != nil {
		return nil, err
	}
	return recs, integrity(path)
}

// integrity has SQLite check the whole file.
func integrity(path string) (err error) {
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var result string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&result); err != nil {
		return err
	}
	if result != "ok" {
		return errors.New(result)
	}
	return nil
}

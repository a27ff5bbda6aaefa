package storetest

import (
	"fmt"
	"time"

	"github.com/patkit/pat"
)

// base is when the records of the cases are created. Its microseconds are odd, so that a store which cuts them off is
// seen.
var base = time.Date(2031, time.March, 4, 5, 6, 7, 890_123_000, time.UTC)

// later returns a time that is n hours after base.
func later(n int) time.Time { return base.Add(time.Duration(n) * time.Hour) }

// change sets fields of a record before it is added.
type change func(*pat.Record)

// record makes a record that no other of this case resembles: of user-1 in group-1, ending after 100 hours.
func (h *harness) record(changes ...change) pat.Record {
	h.made++
	rec := pat.Record{
		Token: pat.Token{
			ID:        numberedID(h.made),
			UserID:    "user-1",
			GroupID:   "group-1",
			Name:      fmt.Sprintf("token %d", h.made),
			Prefix:    fmt.Sprintf("Prefix%06d", h.made),
			Scopes:    scopes("read", "repo:write"),
			CreatedAt: base, UpdatedAt: base, ExpiresAt: later(100),
		},
		Digest: digest(fmt.Sprintf("%032d", h.made)),
	}
	for _, apply := range changes {
		apply(&rec)
	}
	return rec
}

func numberedID(n int) string { return fmt.Sprintf("0199c0de-0000-7000-8000-%012x", n) }

func ownedBy(userID, groupID string) change {
	return func(r *pat.Record) { r.Token.UserID, r.Token.GroupID = userID, groupID }
}

func createdAt(t time.Time) change {
	return func(r *pat.Record) { r.Token.CreatedAt, r.Token.UpdatedAt = t, t }
}

func expiringAt(t time.Time) change { return func(r *pat.Record) { r.Token.ExpiresAt = t } }

func withPrefix(prefix string) change { return func(r *pat.Record) { r.Token.Prefix = prefix } }

func withDigest(d pat.Digest) change { return func(r *pat.Record) { r.Digest = d } }

// successor makes the record that replaces another one.
func (h *harness) successor(old pat.Record) pat.Record {
	return h.record(createdAt(later(1)), ownedBy(old.Token.UserID, old.Token.GroupID), func(r *pat.Record) {
		r.Token.RotatedFrom = old.Token.ID
	})
}

// digest returns a SHA-256 digest with the given bytes.
func digest(sum string) pat.Digest { return parsedDigest("sha256$$" + sum) }

func parsedDigest(encoded string) pat.Digest {
	d, err := pat.ParseDigest(encoded)
	if err != nil {
		panic(err) // the suite's own constants are wrong
	}
	return d
}

func scopes(list ...string) pat.Scopes {
	s, err := pat.NewScopes(list...)
	if err != nil {
		panic(err) // as above
	}
	return s
}

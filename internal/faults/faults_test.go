package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patkit/pat"
	"github.com/patkit/pat/storetest"
)

// fault is one way to go wrong, and what it leads to.
type fault struct {
	name   string
	inject storetest.Fault
	// cause is what an error has to wrap, nil if there is no telling.
	cause error
	// made says that the call is made nevertheless.
	made bool
	// in names the methods in which it is a fault. None means all.
	in     []string
	blocks bool
	panics bool
}

// The first few differ most.
var faults = slices.Concat([]fault{
	{name: "is down", inject: storetest.Fail(errDown), cause: errDown},
	{name: "fails after it is done", inject: storetest.FailAfter(errDown), cause: errDown, made: true},
	{name: "blocks", inject: storetest.Block(), cause: context.Canceled, blocks: true},
	{name: "panics", inject: storetest.Panic(secretOfAFault), panics: true},
}, failures(), damages())

// failures are errors that could be taken for something else.
func failures() []fault {
	var all []fault
	for _, cause := range []error{
		context.DeadlineExceeded, pat.ErrCorrupt, pat.ErrUnknown, fmt.Errorf("replica: %w", pat.ErrRevoked),
		&pat.ArgumentError{Argument: "Store.Shard", Rule: "must be there"},
	} {
		all = append(all, fault{name: fmt.Sprintf("fails with %q", cause), inject: storetest.Fail(cause), cause: cause})
	}
	return all
}

// damages are those changes of a record that Issuer and Verifier promise to find out.
func damages() []fault {
	byPrefix, byID, lists := []string{"FindByPrefix"}, []string{"FindByID", "Revoke"}, []string{"List", "RevokeAll"}
	everywhere := slices.Concat(byPrefix, byID, lists)
	digest := func(encoded string) func(*pat.Record) {
		return func(r *pat.Record) {
			d, err := pat.ParseDigest(encoded)
			if err != nil {
				panic(err) // this table is wrong
			}
			r.Digest = d
		}
	}
	const id = "0199c0de-0000-7000-8000-00000000f0e1"
	var all []fault
	for _, d := range []struct {
		name   string
		change func(*pat.Record)
		cause  error
		in     []string
	}{
		{"a zero record", func(r *pat.Record) { *r = pat.Record{} }, pat.ErrCorrupt, everywhere},
		{"a record without id", func(r *pat.Record) { r.Token.ID = "" }, pat.ErrCorrupt, everywhere},
		{"a record with a short id", func(r *pat.Record) { r.Token.ID = r.Token.ID[1:] }, pat.ErrCorrupt, everywhere},
		{"a record without user", func(r *pat.Record) { r.Token.UserID = "" }, pat.ErrCorrupt, everywhere},
		{"a record without group", func(r *pat.Record) { r.Token.GroupID = "" }, pat.ErrCorrupt, everywhere},
		{"a record with another id", func(r *pat.Record) { r.Token.ID = id }, pat.ErrCorrupt, byID},
		{"a record of another owner", func(r *pat.Record) { r.Token.UserID, r.Token.GroupID = "mallory", "3" }, pat.ErrCorrupt, lists},
		{"a record with another prefix", func(r *pat.Record) { r.Token.Prefix = "abcdefABCDEF" }, pat.ErrCorrupt, byPrefix},
		{"a record without prefix", func(r *pat.Record) { r.Token.Prefix = "" }, pat.ErrCorrupt, byPrefix},
		{"a record with a zero digest", func(r *pat.Record) { r.Digest = pat.Digest{} }, pat.ErrCorrupt, byPrefix},
		{"a record with a short digest", digest("sha256$$" + strings.Repeat("d", 31)), pat.ErrCorrupt, byPrefix},
		{"a record with a long keyed digest", digest("hmac-sha256$k1$" + strings.Repeat("d", 33)), pat.ErrCorrupt, byPrefix},
		{"a record with a digest of an unknown key", digest("hmac-sha256$k2$" + strings.Repeat("d", 32)), nil, byPrefix},
		{"a record with a digest of an unknown algorithm", digest("sha512$$" + strings.Repeat("d", 64)), nil, byPrefix},
		{"a revoked token that is not", func(r *pat.Record) { r.Token.RevokedAt = time.Time{} }, pat.ErrCorrupt, []string{"Revoke", "RevokeAll"}},
	} {
		all = append(all, fault{name: "returns " + d.name, inject: storetest.Corrupt(d.change), cause: d.cause, made: true, in: d.in})
	}
	return all
}

var errDown = errors.New("the store is down: " + secretOfAFault)

// secretOfAFault stands for what the text of an error or a panic may hold, and no client may see.
const secretOfAFault = "zebra"

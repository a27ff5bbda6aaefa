package storetest

import (
	"context"

	"github.com/patkit/pat"
)

// Fault is what goes wrong with a call of a [Faulty] store. The zero Fault is none.
type Fault struct {
	// before comes before the call, which is not made if it returns an error.
	before func(ctx context.Context, over <-chan struct{}) error
	// after is returned by a call that succeeded.
	after  error
	change func(*pat.Record)
}

// Fail is a call that is not made and returns err: the store is down. A store never says [pat.ErrNotFound] when it is
// down, so that error makes a lie of the fault, and [pat.ErrExists] makes the Issuer draw another id and try again.
func Fail(err error) Fault {
	return Fault{before: func(context.Context, <-chan struct{}) error { return err }}
}

// FailAfter is a call that is made and returns err nevertheless, beside whatever else it returns: the store was lost
// during the commit, or the answer was on the way back. A call that fails by itself returns its own error.
func FailAfter(err error) Fault { return Fault{after: err} }

// Block is a call that waits until its context is done, and then is not made and returns the context's error. If the
// fault is taken away before that, the call is made: the store was slow.
func Block() Fault {
	return Fault{before: func(ctx context.Context, over <-chan struct{}) error {
		select {
		case <-over:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
}

// Panic is a call that is not made and panics with value. Methods of Issuer and Verifier pass it on to their caller,
// package httpadapter answers 500, and in the background it becomes a [pat.EventWriteFailed].
func Panic(value any) Fault {
	return Fault{before: func(context.Context, <-chan struct{}) error { panic(value) }}
}

// Corrupt is a call that is made and returns something else than what the store holds: every record in its result has
// gone through change. Where the result has a token without its digest, change finds the zero Digest. A call without
// tokens in its result is made as usual.
//
// Issuer and Verifier find out, with an error that wraps [pat.ErrCorrupt] and is never [pat.ErrInvalidToken]: a zero
// record; an id or a prefix other than the one asked for; a token of another owner than the one asked for; an id of the
// wrong length; no user or no group; a digest that is zero or has too few or too many bytes; a revocation that did not
// take place. A digest of an algorithm or a pepper key that is not configured is an error too, of its own.
//
// They can't find out, because the record looks like one that was written: another user, group, name or scope where
// no owner was asked for; other times, among them a RevokedAt or an ExpiresAt that is gone; another id beside the right
// prefix, or another prefix beside the right id. A digest with other bytes is [pat.ErrWrongSecret], which is what such
// a record says. Who can write to the database can change all of that: see [pat.PepperKey].
func Corrupt(change func(*pat.Record)) Fault { return Fault{change: change} }

// record, token and tokens give a result its change.

func (f Fault) record(rec pat.Record) pat.Record {
	if f.change != nil {
		f.change(&rec)
	}
	return rec
}

func (f Fault) token(tok pat.Token) pat.Token { return f.record(pat.Record{Token: tok}).Token }

func (f Fault) tokens(list []pat.Token) []pat.Token {
	for i := range list {
		list[i] = f.token(list[i])
	}
	return list
}

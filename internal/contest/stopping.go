package contest

import (
	"context"
	"errors"
	"time"

	"github.com/patkit/pat"
)

// stopping is a store that stops in one of its calls, so that something else can happen there.
type stopping struct {
	pat.Store
	point         string // such as "before Touch"
	reached, goOn chan struct{}
}

// during begins a call on a store that stops at the point, does something else there, and lets the call go on. It
// returns the error of the call.
func during(store pat.Store, point string, call func(pat.Store) error, meanwhile func() error) error {
	s := &stopping{Store: store, point: point, reached: make(chan struct{}), goOn: make(chan struct{})}
	done := make(chan error, 1)
	go func() { done <- call(s) }()
	select {
	case <-s.reached:
	case err := <-done:
		return errors.Join(errors.New("the call never came to the point "+point), err)
	}
	err := meanwhile()
	close(s.goOn)
	if called := <-done; err == nil {
		return called
	}
	return err
}

func (s *stopping) stop(point string) {
	if point == s.point {
		s.point = "" // only the first time
		s.reached <- struct{}{}
		<-s.goOn
	}
}

func (s *stopping) FindByPrefix(ctx context.Context, prefix string) (pat.Record, error) {
	s.stop("before FindByPrefix")
	defer s.stop("after FindByPrefix")
	return s.Store.FindByPrefix(ctx, prefix)
}

func (s *stopping) Insert(ctx context.Context, rec pat.Record, limit int) error {
	s.stop("before Insert")
	return s.Store.Insert(ctx, rec, limit)
}

func (s *stopping) Rotate(ctx context.Context, rotation pat.Rotation) error {
	s.stop("before Rotate")
	defer s.stop("after Rotate")
	return s.Store.Rotate(ctx, rotation)
}

func (s *stopping) Revoke(ctx context.Context, id string, at time.Time) (pat.Token, bool, error) {
	s.stop("before Revoke")
	return s.Store.Revoke(ctx, id, at)
}

func (s *stopping) Touch(ctx context.Context, uses []pat.Use) error {
	s.stop("before Touch")
	return s.Store.Touch(ctx, uses)
}

func (s *stopping) ReplaceDigest(ctx context.Context, prefix string, old, next pat.Digest) (bool, error) {
	s.stop("before ReplaceDigest")
	return s.Store.ReplaceDigest(ctx, prefix, old, next)
}

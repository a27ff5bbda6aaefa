package pat

import (
	"context"
	"time"
)

// ChangeFeed is what a [Store] may be able to do besides: to tell of changes that anybody makes, in other processes
// too. Package cache uses it to hear of a revocation within milliseconds.
type ChangeFeed interface {
	// Watch reports to watcher until ctx is done or the feed breaks, and returns why: it never returns nil. A feed that
	// broke is watched again with a new call, which reports nothing of what happened in between.
	//
	// As long as all is well, a call of watcher.Current comes at least every half of within, a time above zero. Where
	// the database does not answer for as long as within, the feed has broken.
	//
	// Watch calls the methods of watcher one at a time, and none after it has returned.
	Watch(ctx context.Context, within time.Duration, watcher ChangeWatcher) error
}

// ChangeWatcher is told of changes by a [ChangeFeed].
type ChangeWatcher interface {
	// Changed says that the token with this prefix was changed or deleted, in any way but by [Store].Touch and
	// ReplaceDigest. An empty prefix means that any token may have been.
	Changed(prefix string)
	// Current says that Changed was called for every change that was acknowledged to whoever made it before the given
	// time, which is one of [time.Now], unless it was there to be read when Current was first called in this Watch: what
	// is read after that first call either has a change in it, or will be told to have changed.
	Current(at time.Time)
}

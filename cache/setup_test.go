package cache_test

import (
	"context"
	"errors"
	"hash/crc32"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/cache"
	"github.com/patkit/pat/memory"
	"github.com/patkit/pat/storetest"
)

var errDown = errors.New("the database is down")

// database is the store behind the cache of a test. What a test writes to it directly, another process has written.
type database struct {
	*storetest.Faulty
	held pat.Store // what is really there, whatever fault is injected

	mu    sync.Mutex
	reads int
	next  *stop
}

func newDatabase() *database {
	held := memory.New()
	return &database{Faulty: storetest.NewFaulty(held), held: held}
}

// stop is where a look-up waits until goOn is closed.
type stop struct {
	behind        bool // it waits when it has read, and not before
	reached, goOn chan struct{}
}

// stopNext stops the next look-up, before or behind the moment at which it reads.
func (d *database) stopNext(behind bool) *stop {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next = &stop{behind: behind, reached: make(chan struct{}), goOn: make(chan struct{})}
	return d.next
}

func (s *stop) wait() {
	close(s.reached)
	<-s.goOn
}

func (d *database) FindByPrefix(ctx context.Context, prefix string) (pat.Record, error) {
	d.mu.Lock()
	d.reads++
	s := d.next
	d.next = nil
	d.mu.Unlock()
	if s != nil && s.behind {
		defer s.wait()
	} else if s != nil {
		s.wait()
	}
	return d.Faulty.FindByPrefix(ctx, prefix)
}

// lookups returns how often FindByPrefix was called since it was last asked.
func (d *database) lookups() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.reads
	d.reads = 0
	return n
}

func (d *database) goDown() { d.Inject(storetest.EveryCall, storetest.Fail(errDown)) }

// feed is a database that tells of changes, when and what the test says.
type feed struct {
	*database
	say    chan func(pat.ChangeWatcher) error
	within chan time.Duration // what Watch was called with, one for each call
}

func newFeed() *feed {
	return &feed{database: newDatabase(), say: make(chan func(pat.ChangeWatcher) error), within: make(chan time.Duration, 1000)}
}

func (f *feed) Watch(ctx context.Context, within time.Duration, watcher pat.ChangeWatcher) error {
	f.within <- within
	for {
		select {
		case say := <-f.say:
			if err := say(watcher); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tell waits for a call of Watch, and returns when the watcher was told.
func (f *feed) tell(say func(pat.ChangeWatcher)) {
	told := make(chan struct{})
	f.say <- func(w pat.ChangeWatcher) error {
		defer close(told)
		say(w)
		return nil
	}
	<-told
}

func (f *feed) changed(prefix string) { f.tell(func(w pat.ChangeWatcher) { w.Changed(prefix) }) }
func (f *feed) current(at time.Time)  { f.tell(func(w pat.ChangeWatcher) { w.Current(at) }) }
func (f *feed) fail(err error)        { f.say <- func(pat.ChangeWatcher) error { return err } }

// proveFor lets time go by while the feed proves itself alive twice in each second.
func (f *feed) proveFor(d time.Duration) {
	const step = time.Second / 2
	for ; d > 0; d -= step {
		time.Sleep(min(d, step)) // in the fake time of testing/synctest
		f.current(time.Now())
	}
}

// follow calls Run until the test ends.
func follow(t *testing.T, s *cache.Store) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
}

// issue makes a token of alice in group 1.
func issue(tb testing.TB, store pat.Store) pat.Issued {
	tb.Helper()
	issuer, err := pat.NewIssuer(store, pat.Config{})
	require.NoError(tb, err)
	issued, err := issuer.Create(context.Background(), pat.CreateParams{UserID: "alice", GroupID: "1", Name: "deploy"})
	require.NoError(tb, err)
	return issued
}

// withToken returns a database that holds a token, and the cache in front of it.
func withToken(tb testing.TB, opts ...cache.Option) (*database, *cache.Store, pat.Token) {
	tb.Helper()
	db := newDatabase()
	return db, inFrontOf(tb, db, opts...), issue(tb, db).Token
}

// withFollowedToken returns a feed that has not begun yet and holds a token, and the cache that follows it.
func withFollowedToken(t *testing.T, opts ...cache.Option) (*feed, *cache.Store, pat.Token) {
	t.Helper()
	db := newFeed()
	store := inFrontOf(t, db, opts...)
	follow(t, store)
	return db, store, issue(t, db).Token
}

// revoke revokes a token now.
func revoke(tb testing.TB, store pat.Store, tok pat.Token) {
	tb.Helper()
	_, changed, err := store.Revoke(context.Background(), tok.ID, stamp())
	require.NoError(tb, err)
	require.True(tb, changed)
}

// stamp is the time as stores take it.
func stamp() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// find looks a token up that has to be there.
func find(tb testing.TB, store pat.Store, prefix string) pat.Token {
	tb.Helper()
	rec, err := store.FindByPrefix(context.Background(), prefix)
	require.NoError(tb, err)
	return rec.Token
}

// newVerifier returns a Verifier that writes nothing, unless cfg says otherwise.
func newVerifier(tb testing.TB, store pat.Store, cfg pat.Config) *pat.Verifier {
	tb.Helper()
	if cfg.LastUsedInterval == 0 {
		cfg.LastUsedInterval = -1
	}
	v, err := pat.NewVerifier(store, cfg)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = v.Close(context.Background()) })
	return v
}

// answer is what a look-up came to.
type answer struct {
	rec pat.Record
	err error
}

// ask begins a look-up.
func ask(ctx context.Context, store pat.Store, prefix string) <-chan answer {
	answers := make(chan answer, 1)
	go func() {
		rec, err := store.FindByPrefix(ctx, prefix)
		answers <- answer{rec, err}
	}()
	return answers
}

// stopAsking begins a look-up, and returns when it was stopped, as by stopNext.
func (d *database) stopAsking(ctx context.Context, store pat.Store, prefix string, behind bool) (<-chan answer, *stop) {
	s := d.stopNext(behind)
	answers := ask(ctx, store, prefix)
	<-s.reached
	return answers, s
}

// isNot returns an OwnerActive that knows one user who is gone.
func isNot(gone string) func(context.Context, string, string) (bool, error) {
	return func(_ context.Context, userID, _ string) (bool, error) { return userID != gone, nil }
}

// otherSecret returns a well-formed value with the same prefix.
func otherSecret(value string) string {
	const alphabet, beforeChecksum = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 49
	last := byte('0')
	if value[beforeChecksum-1] == last {
		last = '1'
	}
	text := value[:beforeChecksum-1] + string(last)
	digits := make([]byte, len(value)-beforeChecksum)
	sum := crc32.ChecksumIEEE([]byte(text))
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = alphabet[sum%62]
		sum /= 62
	}
	return text + string(digits)
}

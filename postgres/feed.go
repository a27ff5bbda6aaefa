package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/patkit/pat"
)

const (
	// feedConnectTimeout bounds the time that Watch takes to connect.
	feedConnectTimeout = 5 * time.Second
	// pingsPerWithin is how often the server is asked, so that an answer which takes as long as the pause between two
	// questions still comes within half the time.
	pingsPerWithin = 4
)

var errStaleFeed = errors.New("there is no feed of changes where reads go to a replica, which may not have them yet")

// Watch implements [pat.ChangeFeed] with LISTEN and NOTIFY, on a connection of its own. Triggers of the table send a
// notice in the transaction of each change, also of those that somebody makes by hand.
//
// Current rests on the order in which PostgreSQL does things (src/backend/commands/async.c and tcop/postgres.c). A
// transaction that commits signals the listening sessions before its own client has the answer (AtCommit_Notify calls
// SignalBackends; up to version 14 it was ProcessCompletedNotifies, likewise before ReadyForQuery). A session that reads
// a command looks for such a signal after the read and before it runs the command (ProcessClientReadInterrupt, then
// ProcessNotifyInterrupt), and sends on what is in the queue. So a query that is sent after a change was acknowledged is
// answered after the notice of that change.
//
// To connect may take five seconds, whatever within is.
//
// Every session of the database may send a notice, and thereby make a cache ask again, and may listen to which prefixes
// change.
func (s *Store) Watch(ctx context.Context, within time.Duration, watcher pat.ChangeWatcher) error {
	if within <= 0 {
		return &pat.ArgumentError{Argument: "within", Rule: "must be above zero"}
	}
	err := errStaleFeed
	if !s.StaleReads() {
		err = s.watch(ctx, within, within/pingsPerWithin, watcher)
	}
	return failed(ctx, "watch", err)
}

// watch asks the server after each pause.
func (s *Store) watch(ctx context.Context, within, pause time.Duration, watcher pat.ChangeWatcher) error {
	f := &feed{within: within, watcher: watcher, proof: proofMark + rand.Text()}
	if err := f.connect(ctx, s); err != nil {
		return err
	}
	defer f.close()
	if err := f.ask(ctx, `LISTEN "`+s.schema+`_pat_changes"`); err != nil {
		return err
	}
	if err := f.hear(ctx, s); err != nil {
		return err
	}
	for {
		// What was acknowledged before now will have been reported when the answer is here, unless it was committed before
		// LISTEN was answered, so that everybody who asks from now on sees it (async.c, Exec_ListenPreCommit).
		at := time.Now()
		if err := f.ask(ctx, "SELECT pg_is_in_recovery()"); err != nil {
			return err
		}
		watcher.Current(at)
		if err := f.listen(ctx, at.Add(pause)); err != nil {
			return err
		}
	}
}

// feed is a connection that listens.
type feed struct {
	conn    *pgconn.PgConn
	within  time.Duration
	watcher pat.ChangeWatcher
	// proof is the notice by which hear finds out that others are heard.
	proof string
	heard bool // that one
}

var errDeaf = errors.New("no notice that is sent over the pool arrives: the feed is behind a transaction pooler, or at another database; see WithFeedConfig")

// proofMark begins the notices by which feeds find out that they hear. No prefix has a space.
const proofMark = "proof "

// hear sends a notice over the pool and waits for it. A transaction pooler answers every question and passes on no notice,
// and another database has other notices: what would never be told of a change must not seem to be alive.
func (f *feed) hear(ctx context.Context, s *Store) error {
	ctx, cancel := context.WithTimeout(ctx, feedConnectTimeout)
	defer cancel()
	err := onConnection(ctx, s.pool, func(conn *pgx.Conn) error {
		_, err := ask(ctx, conn.PgConn(), "SELECT pg_catalog.pg_notify('"+s.schema+"_pat_changes', '"+f.proof+"')")
		return err
	})
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok {
		return clean(answer)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errFeedBroken, err)
	}
	for !f.heard {
		if err := f.conn.WaitForNotification(ctx); err != nil {
			return fmt.Errorf("%w: %w", errDeaf, err)
		}
	}
	return nil
}

func (f *feed) connect(ctx context.Context, s *Store) error {
	config, err := s.feedConfig(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errConnect, err)
	}
	// It is called while the answers to the feed's own questions are read, and never otherwise.
	config.OnNotification = func(_ *pgconn.PgConn, notice *pgconn.Notification) {
		if strings.HasPrefix(notice.Payload, proofMark) { // this feed's, or another one's
			f.heard = f.heard || notice.Payload == f.proof
			return
		}
		f.watcher.Changed(notice.Payload)
	}
	ctx, cancel := context.WithTimeout(ctx, feedConnectTimeout)
	defer cancel()
	if f.conn, err = pgconn.ConnectConfig(ctx, &config.Config); err != nil {
		return fmt.Errorf("%w: %w", errConnect, err)
	}
	return nil
}

// feedConfig returns how to connect.
func (s *Store) feedConfig(ctx context.Context) (*pgx.ConnConfig, error) {
	if s.feed != nil {
		return s.feed.Copy(), nil
	}
	pool := s.pool.Config()
	config := pool.ConnConfig.Copy()
	if pool.BeforeConnect == nil {
		return config, nil
	}
	return config, pool.BeforeConnect(ctx, config)
}

// close does not wait for a server that is away.
func (f *feed) close() {
	ctx, cancel := context.WithTimeout(context.Background(), rollbackTimeout)
	defer cancel()
	_ = f.conn.Close(ctx)
}

// ask sends a query and waits for its answer, for as long as within.
func (f *feed) ask(ctx context.Context, query string) error {
	bounded, cancel := context.WithTimeout(ctx, f.within)
	defer cancel()
	_, err := f.conn.Exec(bounded, query).ReadAll()
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok {
		return clean(answer)
	}
	if err != nil {
		return f.broken(ctx, err)
	}
	return nil
}

// listen waits for notices until the given time.
func (f *feed) listen(ctx context.Context, until time.Time) error {
	bounded, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	for {
		err := f.conn.WaitForNotification(bounded)
		if err == nil {
			continue
		}
		if bounded.Err() != nil && ctx.Err() == nil && !f.conn.IsClosed() {
			return nil // it is time to ask
		}
		return f.broken(ctx, err)
	}
}

var errFeedBroken = errors.New("the feed broke")

// broken hides a deadline of the feed's own, which is none of ctx.
func (f *feed) broken(ctx context.Context, err error) error {
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: no answer within %v", errFeedBroken, f.within)
	}
	return fmt.Errorf("%w: %w", errFeedBroken, err)
}

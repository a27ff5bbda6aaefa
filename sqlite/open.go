package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
)

const memoryPath = ":memory:"

// minReaders leaves room beside a few long lists for the short reads of verifications.
const minReaders = 4

// databases are the pools of database/sql that the sessions' connections come from. Their connections are taken out
// at once and for good, so that each keeps its prepared statements.
type databases struct {
	pools    []*sql.DB
	sessions []*session
}

func (d *databases) close() error {
	var failed []error
	for _, c := range d.sessions {
		failed = append(failed, c.close())
	}
	for _, db := range d.pools {
		failed = append(failed, db.Close())
	}
	return errors.Join(failed...)
}

// connect opens n connections.
func (d *databases) connect(c *connector, n int) ([]*session, error) {
	db := sql.OpenDB(c)
	d.pools = append(d.pools, db)
	for range n {
		conn, err := db.Conn(context.Background())
		if err != nil {
			return nil, err
		}
		d.sessions = append(d.sessions, newSession(conn))
	}
	return d.sessions[len(d.sessions)-n:], nil
}

func open(path string, settings options) (_ *Store, err error) {
	all := new(databases)
	defer func() {
		if err != nil {
			err = errors.Join(err, all.close())
		}
	}()
	writer, err := openWriter(all, path, settings)
	if err != nil {
		return nil, err
	}
	s := &Store{busyTimeout: settings.busyTimeout, writer: newPool(writer), closed: make(chan struct{})}
	s.close = s.closer(all)
	if path == memoryPath {
		s.readers = s.writer
		return s, writer.prepareReads()
	}
	readers, err := openReaders(all, path, settings)
	s.readers = newPool(readers...)
	return s, err
}

// openWriter makes the file, if need be, and its schema.
func openWriter(all *databases, path string, settings options) (*session, error) {
	var file *databaseFile
	if path != memoryPath {
		var err error
		if file, err = findFile(path); err != nil {
			return nil, err
		}
		defer file.cleanUp()
	}
	sessions, err := all.connect(newConnector(file, roleWriter, settings.busyTimeout), 1)
	if err != nil {
		return nil, err
	}
	writer := sessions[0]
	// After SQLite has found that this is a database, so that a mistaken path takes nobody's rights on another file.
	if err := file.tighten(); err != nil {
		return nil, err
	}
	if err := migrate(writer, settings.busyTimeout); err != nil {
		return nil, err
	}
	if err := writer.prepareWrites(); err != nil {
		return nil, err
	}
	return writer, nil
}

func openReaders(all *databases, path string, settings options) ([]*session, error) {
	file, err := findFile(path)
	if err != nil {
		return nil, err
	}
	defer file.cleanUp()
	sessions, err := all.connect(newConnector(file, roleReader, settings.busyTimeout), max(minReaders, runtime.GOMAXPROCS(0)))
	if err != nil {
		return nil, err
	}
	for _, c := range sessions {
		if err := c.prepareReads(); err != nil {
			return nil, err
		}
	}
	return sessions, nil
}

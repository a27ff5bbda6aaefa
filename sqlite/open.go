package sqlite

import (
	"errors"
	"runtime"
)

const memoryPath = ":memory:"

// minReaders leaves room beside a few long lists for the short reads of verifications.
const minReaders = 4

// connections are all that a store has open.
type connections struct{ sessions []*session }

func (all *connections) close() error {
	var failed []error
	for _, c := range all.sessions {
		failed = append(failed, c.close())
	}
	return errors.Join(failed...)
}

// connect opens n connections.
func (all *connections) connect(c *connector, n int) ([]*session, error) {
	for range n {
		conn, err := c.connect()
		if err != nil {
			return nil, err
		}
		all.sessions = append(all.sessions, newSession(conn))
	}
	return all.sessions[len(all.sessions)-n:], nil
}

func open(path string, settings options) (_ *Store, err error) {
	all := new(connections)
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
	readers, keeper, err := openReaders(all, path, settings)
	s.readers, s.keeper = newPool(readers...), keeper
	return s, err
}

// openWriter makes the file, if need be, and its schema.
func openWriter(all *connections, path string, settings options) (*session, error) {
	var file *databaseFile
	if path != memoryPath {
		var err error
		if file, err = findFile(path); err != nil {
			return nil, err
		}
		defer file.cleanUp()
	}
	sessions, err := all.connect(newConnector(file, roleWriter, settings), 1)
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

// openReaders opens the connections of the look-ups and lists, and one more for a keeper, if there is to be one.
func openReaders(all *connections, path string, settings options) ([]*session, *keeper, error) {
	file, err := findFile(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.cleanUp()
	readers, err := all.connect(newConnector(file, roleReader, settings), max(minReaders, runtime.GOMAXPROCS(0)))
	if err != nil {
		return nil, nil, err
	}
	for _, c := range readers {
		if err := c.prepareReads(); err != nil {
			return nil, nil, err
		}
	}
	keeper, err := openKeeper(all, file, settings)
	return readers, keeper, err
}

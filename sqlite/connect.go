package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strconv"
	"time"

	"github.com/mattn/go-sqlite3"
)

// role is what a connection is for.
type role int

const (
	roleWriter role = iota
	roleReader
)

// connector opens connections that are all in the same, checked state.
type connector struct {
	driver  *sqlite3.SQLiteDriver
	name    string
	timeout time.Duration
}

// newConnector returns a connector for the file. A nil file means a database in memory.
func newConnector(file *databaseFile, role role, timeout time.Duration) *connector {
	pragmas := pragmasOf(file == nil, role, timeout)
	return &connector{
		driver:  &sqlite3.SQLiteDriver{ConnectHook: func(conn *sqlite3.SQLiteConn) error { return apply(conn, pragmas) }},
		name:    file.uri(),
		timeout: timeout,
	}
}

// connect opens a connection. Changing a new file to the write-ahead log needs an exclusive lock, for which SQLite does
// not always call its busy handler. So when several processes start at once, some have to try again.
func (c *connector) connect() (*sqlite3.SQLiteConn, error) {
	var opened driver.Conn
	err := waitWhileBusy(context.Background(), c.timeout, func() (err error) {
		opened, err = c.driver.Open(c.name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return opened.(*sqlite3.SQLiteConn), nil //nolint:forcetypeassert // which is what this driver opens
}

// pragma is a setting of a connection, and how it reads once it is in force.
type pragma struct {
	name, value, want string
	optional          bool // it makes nothing but a difference in speed
}

// mapped is how much of the file a reader maps into memory: as much as SQLite can, unless it was built for more. What
// lies behind is read as if nothing were mapped. Through the map a look-up has no page to fetch from the operating
// system, and takes about three quarters of the time.
//
// What SQLite says of it (https://www.sqlite.org/mmap.html) holds here as follows. The map can only be read, so that no
// stray pointer writes to the file through it: writers write as ever. A file that another process makes longer is mapped
// anew; one that it makes shorter, as VACUUM does, SQLite cuts only when no reader has an older state, and no reader
// looks behind the end of the state that it has. What remains is that a disk that can't be read, or a program that cuts
// the file off behind SQLite's back, which has no place in a file in use, ends this process (SIGBUS) and not just the call.
// Verification then fails closed, as it would for a database that has lost a part. The writer maps nothing.
const mapped = "2147418112" // 0x7fff0000, SQLITE_MAX_MMAP_SIZE

func pragmasOf(inMemory bool, role role, timeout time.Duration) []pragma {
	journal := pragma{"journal_mode", "WAL", "wal", false}
	if inMemory {
		journal = pragma{"journal_mode", "MEMORY", "memory", false}
	}
	// A reader hardly ever waits, and lets SQLite do it. The writer waits in waitWhileBusy, which a context can end:
	// SQLite's busy handler sleeps on through an interrupt.
	wait := strconv.FormatInt((timeout + time.Millisecond - 1).Milliseconds(), 10)
	if role == roleWriter {
		wait = "0"
	}
	pragmas := []pragma{
		{"busy_timeout", wait, wait, false},
		journal,
		{"synchronous", "FULL", "2", false}, // the driver's default is NORMAL, which loses acknowledged writes at a power cut
		{"fullfsync", "ON", "1", false},     // macOS: fsync alone leaves the data in the drive's cache
		{"foreign_keys", "ON", "1", false},
		{"trusted_schema", "OFF", "0", false},
	}
	if role == roleReader {
		pragmas = append(pragmas, pragma{"query_only", "ON", "1", false}, pragma{"mmap_size", mapped, mapped, true})
	}
	return pragmas
}

// apply sets the pragmas and reads each of them back, but for the optional ones: SQLite passes over what it doesn't know
// or can't do. A database
// that is going to be refused for its newer schema is left as it was: some pragmas change the file.
func apply(conn *sqlite3.SQLiteConn, pragmas []pragma) error {
	if err := refuseNewerSchema(conn); err != nil {
		return err
	}
	for _, p := range pragmas {
		if _, err := conn.Exec("PRAGMA "+p.name+" = "+p.value, nil); err != nil {
			return err
		}
		if p.optional { // SQLite that was built without it knows no answer
			continue
		}
		got, err := readPragma(conn, p.name)
		if err != nil {
			return err
		}
		if got != p.want {
			return fmt.Errorf("this database can't have %s = %s", p.name, p.value)
		}
	}
	return nil
}

// refuseNewerSchema is a first look. The one that counts is in the transaction of migrate.
func refuseNewerSchema(conn driver.QueryerContext) error {
	found, err := readValue(conn, "SELECT count(*) FROM sqlite_schema WHERE name = 'pat_schema'")
	if err != nil || found != int64(1) {
		return err
	}
	version, err := schemaVersion(conn)
	if err == nil && version > int64(len(migrationNames())) {
		return ErrNewerSchema
	}
	return err
}

// schemaVersion returns the number of the last migration that was applied.
func schemaVersion(conn driver.QueryerContext) (int64, error) {
	value, err := readValue(conn, "SELECT ifnull(max(version), 0) FROM pat_schema")
	version, _ := value.(int64) // as the column's type has it
	return version, err
}

func readPragma(conn driver.QueryerContext, name string) (string, error) {
	value, err := readValue(conn, "PRAGMA "+name)
	return fmt.Sprint(value), err
}

// readValue returns the only column of a query's first row.
func readValue(conn driver.QueryerContext, query string) (driver.Value, error) {
	rows, err := conn.QueryContext(context.Background(), query, nil)
	if err != nil {
		return nil, err
	}
	var value [1]driver.Value
	err = firstOf(rows, value[:])
	return value[0], err
}

package sqlite

import (
	"database/sql/driver"
	"fmt"
	"strconv"
	"time"

	"github.com/mattn/go-sqlite3"
)

// pragma is a setting of a connection.
type pragma struct {
	name, value string
	// reads is how the setting reads once it is in force, or "" where it makes nothing but a difference in speed.
	reads string
}

// mapped is how much of the file a reader maps into memory: all of it, which SQLite cuts to the most that it was built
// for. By default that is SQLITE_MAX_MMAP_SIZE = 0x7fff0000; what lies behind is read as if nothing were mapped. Through
// the map a look-up has no page to fetch from the operating system (BenchmarkLookUp has what that saves).
//
// What SQLite says of it (https://www.sqlite.org/mmap.html) holds here as follows. The map can only be read, so that no
// stray pointer writes to the file through it: writers write as ever, and the writer maps nothing. A file that another
// process makes longer is mapped anew. One that it makes shorter, as VACUUM does, SQLite cuts only when no reader has an
// older state, and no reader looks behind the end of the state that it has. What remains is in [WithoutMmap].
const mapped = "1099511627776"

func pragmasOf(inMemory bool, role role, settings options) []pragma {
	journal := pragma{name: "journal_mode", value: "WAL", reads: "wal"}
	if inMemory {
		journal = pragma{name: "journal_mode", value: "MEMORY", reads: "memory"}
	}
	// A reader hardly ever waits, and lets SQLite do it. The writer waits in waitWhileBusy, which a context can end:
	// SQLite's busy handler sleeps on through an interrupt. The keeper does without the lock instead.
	wait := strconv.FormatInt((settings.busyTimeout + time.Millisecond - 1).Milliseconds(), 10)
	if role != roleReader {
		wait = "0"
	}
	pragmas := []pragma{
		{name: "busy_timeout", value: wait, reads: wait},
		journal,
		// The driver's default is NORMAL, which loses acknowledged writes at a power cut.
		{name: "synchronous", value: "FULL", reads: "2"},
		{name: "fullfsync", value: "ON", reads: "1"}, // macOS: fsync alone leaves the data in the drive's cache
		{name: "foreign_keys", value: "ON", reads: "1"},
		{name: "trusted_schema", value: "OFF", reads: "0"},
		// What it takes to undo a statement or a savepoint of many rows goes, beyond 64 KiB, to a file in the folder for
		// temporary files. A container whose file system can only be read has none, and revoking all would fail there.
		{name: "temp_store", value: "MEMORY", reads: "2"},
	}
	if role != roleWriter {
		pragmas = append(pragmas, pragma{name: "query_only", value: "ON", reads: "1"})
	}
	if role == roleReader && !settings.unmapped {
		pragmas = append(pragmas, pragma{name: "mmap_size", value: mapped})
	}
	return pragmas
}

// apply sets the pragmas and reads each of them back: SQLite passes over what it doesn't know or can't do. A database
// that is going to be refused for its newer schema is left as it was: some pragmas change the file.
func apply(conn *sqlite3.SQLiteConn, pragmas []pragma) error {
	if err := refuseNewerSchema(conn); err != nil {
		return err
	}
	for _, p := range pragmas {
		if _, err := conn.Exec("PRAGMA "+p.name+" = "+p.value, nil); err != nil {
			return err
		}
		if p.reads == "" { // SQLite that was built without it gives no answer
			continue
		}
		reads, err := readPragma(conn, p.name)
		if err != nil {
			return err
		}
		if reads != p.reads {
			return fmt.Errorf("this database can't have %s = %s", p.name, p.value)
		}
	}
	return nil
}

func readPragma(conn driver.QueryerContext, name string) (string, error) {
	value, err := readValue(conn, "PRAGMA "+name)
	return fmt.Sprint(value), err
}

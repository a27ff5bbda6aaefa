package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

const fileMode fs.FileMode = 0o600

// databaseFile is the file of a database that is being opened.
//
// It is never opened here, because closing it would drop the locks that SQLite holds on it for other connections of
// this process (https://www.sqlite.org/howtocorrupt.html, section 2.2).
type databaseFile struct {
	path string // absolute, without symbolic links
	// model is an empty file with the mode that a new database file is to get, or "" if the file is there already.
	model string
}

// findFile looks for the file at path.
func findFile(path string) (*databaseFile, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, withoutPath(err)
	}
	// SQLite follows symbolic links too, and puts the -wal and -shm files where the database really is.
	resolved, err := filepath.EvalSymlinks(absolute)
	var info fs.FileInfo
	if err == nil {
		info, err = os.Stat(resolved)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return newFile(absolute)
	case err != nil:
		return nil, withoutPath(err)
	case info.IsDir():
		return nil, syscall.EISDIR
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: it is not a regular file", ErrNotADatabase)
	}
	return &databaseFile{path: resolved}, nil
}

// newFile prepares for SQLite to make the file with the right mode from the first moment on, whatever the umask is.
func newFile(path string) (*databaseFile, error) {
	model, err := os.CreateTemp(filepath.Dir(path), ".pat-*") // has the mode 0600, less the umask
	if err != nil {
		return nil, withoutPath(err)
	}
	// Where this fails nothing is lost, and nobody has more rights.
	_ = errors.Join(model.Chmod(fileMode), model.Close())
	return &databaseFile{path: path, model: model.Name()}, nil
}

func (f *databaseFile) cleanUp() {
	if f.model != "" {
		_ = os.Remove(f.model) // an empty file with a name of its own
	}
}

// tighten takes all rights on the database's files from everyone but their owner.
func (f *databaseFile) tighten() error {
	if f == nil || runtime.GOOS == "windows" { // where the folder's access list decides
		return nil
	}
	for _, path := range []string{f.path, f.path + "-wal", f.path + "-shm"} {
		if err := tighten(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("others have access to the file: %w", withoutPath(err))
		}
	}
	return nil
}

func tighten(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&^fileMode == 0 {
		return err
	}
	if err := os.Chmod(path, info.Mode().Perm()&fileMode); err != nil {
		return err
	}
	// Some file systems take every chmod and keep to their own modes.
	if info, err = os.Stat(path); err == nil && info.Mode().Perm()&^fileMode != 0 {
		return fs.ErrPermission
	}
	return err
}

// uri returns the file's name in the form of https://www.sqlite.org/uri.html, in which no character of a path has a
// meaning.
func (f *databaseFile) uri() string {
	// SQLite need not lock its connections against one another: each is used by one call at a time.
	const options = "?_mutex=no"
	if f == nil {
		return memoryPath + options
	}
	path := filepath.ToSlash(f.path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // file:///C:/…
	}
	name := (&url.URL{Scheme: "file", Path: path}).String() + options
	if f.model != "" {
		// SQLite decodes %20, and not '+'.
		name += "&modeof=" + strings.ReplaceAll(url.QueryEscape(f.model), "+", "%20")
	}
	return name
}

// withoutPath takes the path out of an error of package os.
func withoutPath(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

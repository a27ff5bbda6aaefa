//go:build unix

package postgres

import (
	"io/fs"
	"os"
	"syscall"
)

// chownAs gives a file the owner of another one: as root, the tests have a server that runs as somebody else.
func chownAs(path string, like fs.FileInfo) error {
	owner := like.Sys().(*syscall.Stat_t)
	return os.Chown(path, int(owner.Uid), int(owner.Gid))
}

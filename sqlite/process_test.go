package sqlite_test

import (
	"context"
	"os/signal"
	"syscall"
	"testing"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/peer"
	"github.com/patkit/pat/sqlite"
)

// The test binary runs itself as another process, in one of these roles or as a peer, whose target is a path.
func TestMain(m *testing.M) {
	peer.Program{
		Open: func(path string) (pat.Store, func() error, error) {
			s, err := sqlite.Open(path)
			if err != nil {
				return nil, nil, err
			}
			return s, s.Close, nil
		},
		Commands: map[string]func(string) (string, error){"schema": schema},
		Roles: map[string]func(string){
			"write until killed": writeUntilKilled,
			"write and note":     writeAndNote,
			"write unsynced":     writeUnsynced,
			"open":               openAndName,
			"open on a full disk": func(path string) {
				signal.Ignore(syscall.SIGXFSZ)
				peer.Must(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4096, Max: 4096}))
				openAndName(path)
			},
		},
	}.Main(m)
}

var ctx = context.Background()

// Pat-move copies every token of an SQLite database to PostgreSQL, while both may be in use:
//
//	go run github.com/patkit/pat/cmd/pat-move -from pat.db -to postgres://user@host/database
//
// It can be run again and again, and then takes over what has changed since; it prints how much that was. It undoes no
// revocation, on neither side, and deletes nothing. Don't run it again once tokens were purged in PostgreSQL: those that
// the file still has would come back as they are there. How to move a service with it is in docs/scaling.md.
//
// The schema is brought up to date if need be; -schema names another one than pat. The password is better left to
// PGPASSWORD or a password file than written into the address, which everybody on the machine can see.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/patkit/pat/postgres"
	"github.com/patkit/pat/sqlite"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr)) //nolint:gocritic // the process ends here, and the signals with it
}

// The exit codes.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("pat-move", flag.ContinueOnError)
	flags.SetOutput(stderr)
	from := flags.String("from", "", "the SQLite database `file`")
	to := flags.String("to", "", "the `address` of the PostgreSQL database, such as postgres://user@host/database")
	schema := flags.String("schema", "pat", "the `name` of the schema there")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return exitOK
	} else if err != nil {
		return exitUsage
	}
	if *from == "" || *to == "" || flags.NArg() > 0 {
		_, _ = fmt.Fprintln(stderr, "pat-move: -from and -to are needed, and nothing else")
		flags.Usage()
		return exitUsage
	}
	done, err := move(ctx, *from, *to, *schema)
	if err == nil || done != (postgres.Merged{}) {
		_, _ = fmt.Fprintf(stdout, "%d tokens added, %d changed, %d the same as before\n", done.Added, done.Changed, done.Same)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "pat-move:", err)
		return exitError
	}
	return exitOK
}

func move(ctx context.Context, from, to, schema string) (done postgres.Merged, err error) {
	if !strings.HasPrefix(to, "postgres://") && !strings.HasPrefix(to, "postgresql://") {
		return done, errors.New("-to must begin with postgres://") // pgx knows another form, whose password it may print
	}
	// Open would make a new, empty database, from which there is nothing to move.
	if _, err := os.Stat(from); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fs.ErrNotExist
		}
		return done, fmt.Errorf("the SQLite database: %w", err)
	}
	source, err := sqlite.Open(from)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	pool, err := pgxpool.New(ctx, to)
	if err != nil {
		return done, err
	}
	defer pool.Close()
	target, err := postgres.New(ctx, pool, postgres.WithSchema(schema))
	if err != nil {
		return done, err
	}
	return target.Merge(ctx, source.Records(ctx))
}

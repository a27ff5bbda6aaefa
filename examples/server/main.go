// Server is the documented API on SQLite or PostgreSQL, complete enough to be started with one command and used with curl:
//
//	go run ./examples/server
//
// It prints a walk through the API that can be pasted into a shell. Everything that a real service has of its own,
// its users, groups and sessions, is a fixed demo here; see demohost.go. Don't expose it: its credentials are public.
//
// The flags are -addr, where to listen (127.0.0.1:8080; port 0 means any free one), and -db, the database file (pat.db
// in the current folder; :memory: for none) or the address of a PostgreSQL database (postgres://user@host/name; the
// password is better left to PGPASSWORD or a password file than written into it). Several servers may share a database.
// Events go to standard error, one line each. SIGINT and SIGTERM end it cleanly.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal the second one ends the process at once, should the clean way hang.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// The exit codes.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

// run is the program. It returns the exit code once ctx is done or something failed.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "127.0.0.1:8080", "the `address` to listen on")
	db := flags.String("db", "pat.db", "the `database`: a file of SQLite, :memory:, or postgres://…")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return exitOK
	} else if err != nil {
		return exitUsage
	}
	if flags.NArg() > 0 {
		_, _ = fmt.Fprintf(stderr, "server: unexpected argument %q\n", flags.Arg(0))
		flags.Usage()
		return exitUsage
	}
	if err := serve(ctx, *addr, *db, stdout, slog.New(slog.NewTextHandler(stderr, nil))); err != nil {
		_, _ = fmt.Fprintln(stderr, "server:", err)
		return exitError
	}
	return exitOK
}

// serve listens and serves until ctx is done, then shuts down in order: requests first, what they left to be written
// next, the database last.
func serve(ctx context.Context, addr, db string, stdout io.Writer, logger *slog.Logger) (err error) {
	// The port comes first, so that a start that fails on it leaves no new database file behind.
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer func() { _ = listener.Close() }() // closed already, unless the start failed

	store, err := openDatabase(ctx, db, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.close()) }()

	handler, verifier, err := newHandler(store, logger)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		err = errors.Join(err, verifier.Close(closing))
	}()

	if host, ok := listener.Addr().(*net.TCPAddr); ok && !host.IP.IsLoopback() {
		logger.WarnContext(ctx, "listening beyond this machine, with credentials that everybody knows")
	}
	if _, err := io.WriteString(stdout, walkThrough(baseURL(listener.Addr()))); err != nil {
		return fmt.Errorf("print the walk-through: %w", err)
	}
	return serveHTTP(ctx, listener, handler, logger)
}

// shutdownTimeout bounds each step of a shutdown. Process managers lose patience after 10 seconds (Docker), 30
// (Kubernetes) or 90 (systemd).
const shutdownTimeout = 4 * time.Second

// serveHTTP serves until ctx is done, and returns when the last request is answered.
func serveHTTP(ctx context.Context, listener net.Listener, handler http.Handler, logger *slog.Logger) error {
	server := &http.Server{
		Handler: handler,
		// A client that sends or reads slowly must not hold a connection for ever.
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	logger.InfoContext(ctx, "serving", "address", listener.Addr().String())

	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	logger.InfoContext(ctx, "shutting down")
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(closing); err != nil {
		return errors.Join(fmt.Errorf("shut down: %w", err), server.Close())
	}
	return nil
}

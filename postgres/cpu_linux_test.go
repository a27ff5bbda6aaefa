package postgres

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/bench"
	"github.com/patkit/pat/internal/pgtest"
)

// BenchmarkCPU measures the time of processors that calls take in this process and in the session of the server, which
// has to be on this machine. Other than the time that passes, it says how many can be made.
func BenchmarkCPU(b *testing.B) {
	const tokens = 100_000
	pool := pgtest.Pool(b, func(c *pgxpool.Config) { c.MaxConns = 1 })
	s := open(b, pool)
	records, values := bench.Records(b, tokens)
	fill(b, s, records)
	cfg := pat.Config{LastUsedInterval: -1, GroupLimit: 100, Scopes: pat.PublicFullScopes()}
	verifier, err := pat.NewVerifier(s, cfg)
	require.NoError(b, err)
	issuer, err := pat.NewIssuer(s, cfg)
	require.NoError(b, err)
	server := number(b, pool, "SELECT pg_backend_pid()")
	for _, c := range []struct {
		name string
		call func(i int) error
	}{
		{"verify", func(i int) error {
			return bench.Present(background, verifier, values[i%tokens])
		}},
		{"create", func(i int) error {
			_, err := issuer.Create(background, pat.CreateParams{UserID: "user-1", GroupID: fmt.Sprint("new-", i/10), Name: "deploy key"})
			return err
		}},
		{"revoke", func(i int) error {
			_, err := issuer.Revoke(background, records[i%tokens].Token.ID)
			return err
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			client, session := clientCPU(b), sessionCPU(b, server)
			for i := range b.N {
				if err := c.call(i); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(clientCPU(b)-client)/float64(b.N), "client-cpu-ns/op")
			b.ReportMetric(float64(sessionCPU(b, server)-session)/float64(b.N), "server-cpu-ns/op")
		})
	}
}

func clientCPU(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// sessionCPU reads /proc/PID/schedstat, whose first number is the time on a processor in nanoseconds.
func sessionCPU(b *testing.B, pid int) time.Duration {
	b.Helper()
	content, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/schedstat")
	require.NoError(b, err)
	spent, _, _ := strings.Cut(string(content), " ")
	nanoseconds, err := strconv.ParseInt(spent, 10, 64)
	require.NoError(b, err)
	return time.Duration(nanoseconds)
}

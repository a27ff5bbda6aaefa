package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/bench"
	"github.com/patkit/pat/internal/pgtest"
)

// arguments returns the columns of a record as a host would pass them.
func arguments(rec pat.Record) []any {
	tok := rec.Token
	optional := func(t time.Time) pgtype.Timestamptz { return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()} }
	return []any{tok.Prefix, tok.ID, []byte(rec.Digest.Encoded()), tok.UserID, tok.GroupID, tok.Name, tok.Scopes.String(), tok.CreatedAt, tok.UpdatedAt,
		optional(tok.ExpiresAt), optional(tok.LastUsedAt), optional(tok.RevokedAt), nil, nil}
}

// fill adds records, and lets the server settle.
func fill(b *testing.B, s *Store, records []pat.Record) {
	b.Helper()
	_, err := s.pool.CopyFrom(b.Context(), pgx.Identifier{s.schema, "pat_tokens"},
		[]string{"prefix", "id", "digest", "user_id", "group_id", "name", "scopes", "created_at", "updated_at", "expires_at", "last_used_at",
			"revoked_at", "rotated_from", "rotated_to"},
		pgx.CopyFromSlice(len(records), func(i int) ([]any, error) { return arguments(records[i]), nil }))
	require.NoError(b, err)
	_, err = s.pool.Exec(b.Context(), "VACUUM ANALYZE "+s.table())
	require.NoError(b, err)
}

// BenchmarkVerify compares a verification with a bare prepared SELECT of the same columns by the same key, over the same
// pool, in a table of 100,000 tokens.
func BenchmarkVerify(b *testing.B) {
	const tokens = 100_000
	store := testStore(b)
	records, values := bench.Records(b, tokens)
	fill(b, store, records)
	size := number(b, store.pool, "SELECT pg_total_relation_size($1)", store.table())
	b.Logf("%d bytes on disk per token, of which %d in the table", size/tokens, number(b, store.pool, "SELECT pg_relation_size($1)", store.table())/tokens)
	verifier, err := pat.NewVerifier(store, pat.Config{LastUsedInterval: time.Hour}) // nobody's last use is due
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, verifier.Close(context.Background())) })
	order := rand.Perm(tokens)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	query := "SELECT " + columns + " FROM " + store.table() + " WHERE prefix = $1"
	verify := func(i int) error {
		return bench.Present(ctx, verifier, values[order[i%tokens]])
	}
	bare := func(i int) error {
		return selectBare(ctx, store.pool, query, records[order[(i+tokens/2)%tokens]].Token.Prefix)
	}
	bench.Compare(b, "verify", verify, bare)
	b.ReportMetric(testing.AllocsPerRun(100, func() { _ = verify(0) }), "allocs/verify")
	b.ReportMetric(testing.AllocsPerRun(100, func() { _ = bare(0) }), "allocs/floor")
}

func selectBare(ctx context.Context, pool *pgxpool.Pool, query, prefix string) error {
	var gotPrefix, userID, groupID, name, scopes string
	var digest []byte
	var id, rotatedFrom, rotatedTo pgtype.UUID
	var createdAt, updatedAt time.Time
	var expiresAt, lastUsedAt, revokedAt pgtype.Timestamptz
	err := pool.QueryRow(ctx, query, prefix).Scan(&gotPrefix, &id, &digest, &userID, &groupID, &name, &scopes, &createdAt, &updatedAt,
		&expiresAt, &lastUsedAt, &revokedAt, &rotatedFrom, &rotatedTo)
	if err == nil && gotPrefix != prefix {
		return errors.New("another token")
	}
	return err
}

// BenchmarkCreate compares Issuer.Create, at a limit of 10 tokens per group, with a bare INSERT of such a row, sent with
// its BEGIN and COMMIT at once, into a table that is as full. Creates in a row are for different groups.
func BenchmarkCreate(b *testing.B) {
	const held = 100_000
	records, _ := bench.Records(b, held+b.N)
	pool := pgtest.Pool(b)
	store, other := open(b, pool), open(b, pool)
	fill(b, store, records[:held])
	fill(b, other, records[:held])
	issuer, err := pat.NewIssuer(store, pat.Config{GroupLimit: 10, Scopes: pat.PublicFullScopes()})
	require.NoError(b, err)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for i := range b.N {
		records[held+i].Token.GroupID = fmt.Sprintf("new-%d", i%(b.N/10+1))
	}
	query := "INSERT INTO " + other.table() + " (" + columns + ") VALUES (" + parameters + ")"
	bench.Compare(b, "create", func(i int) error {
		tok := records[held+i].Token
		_, err := issuer.Create(ctx, pat.CreateParams{UserID: tok.UserID, GroupID: tok.GroupID, Name: tok.Name})
		return err
	}, func(i int) error {
		var batch pgx.Batch
		batch.Queue("BEGIN")
		batch.Queue(query, arguments(records[held+i])...)
		batch.Queue("COMMIT")
		return pool.SendBatch(ctx, &batch).Close()
	})
}

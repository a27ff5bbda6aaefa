package postgres

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/internal/pgtest"
)

func TestManyInstancesMayStartAtOnce(t *testing.T) {
	schema := pgtest.Schema(t)
	errs := make([]error, 8)
	var done sync.WaitGroup
	for i := range errs {
		pool := pgtest.Pool(t)
		done.Go(func() { _, errs[i] = New(t.Context(), pool, WithSchema(schema)) })
	}
	done.Wait()
	for _, err := range errs {
		assert.NoError(t, err)
	}
	pool := pgtest.Pool(t)
	assert.Equal(t, len(migrationNames()), number(t, pool, `SELECT count(*) FROM "`+schema+`".pat_schema`))
	s := openIn(t, pool, schema)
	rec := s.add(t, 1)[0]
	again := openIn(t, pool, schema)
	_, err := again.FindByPrefix(t.Context(), rec.Token.Prefix)
	assert.NoError(t, err, "what is there stays")
}

func TestASchemaThatIsNotThatOfThisVersionIsRefused(t *testing.T) {
	pool := pgtest.Pool(t)
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, schema string)
		check   error
		migrate error
	}{
		{"an absent one, unless it may be made", func(*testing.T, string) {}, ErrOldSchema, nil},
		{"an empty one, unless it may be filled", func(t *testing.T, schema string) {
			_, err := pool.Exec(t.Context(), `CREATE SCHEMA "`+schema+`"`)
			require.NoError(t, err)
		}, ErrOldSchema, nil},
		{"an older one, unless it may be changed", func(t *testing.T, schema string) {
			_, err := pool.Exec(t.Context(), `CREATE SCHEMA "`+schema+`"; CREATE TABLE "`+schema+`".pat_schema (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`)
			require.NoError(t, err)
		}, ErrOldSchema, nil},
		{"a newer one", func(t *testing.T, schema string) {
			openIn(t, pool, schema).sql(t, "INSERT INTO pat_schema (version) VALUES (1000)")
		}, ErrNewerSchema, ErrNewerSchema},
		{"but not the right one", func(t *testing.T, schema string) { require.NoError(t, Migrate(t.Context(), pool, WithSchema(schema))) }, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			schema := pgtest.Schema(t)
			c.prepare(t, schema)
			_, err := New(t.Context(), pool, WithSchema(schema), WithoutMigration())
			require.ErrorIs(t, err, c.check)
			require.ErrorIs(t, Migrate(t.Context(), pool, WithSchema(schema)), c.migrate)
			_, err = New(t.Context(), pool, WithSchema(schema))
			require.ErrorIs(t, err, c.migrate)
		})
	}
}

func TestOptionsThatBreakTheirRuleAreRefused(t *testing.T) {
	pool := pgtest.Pool(t)
	for name, opt := range map[string]Option{
		"an empty schema":                 WithSchema(""),
		"a schema of PostgreSQL's own":    WithSchema("pg_pat"),
		"a schema in upper case":          WithSchema("Pat"),
		"a schema that begins with digit": WithSchema("1pat"),
		"a schema with a quote":           WithSchema(`pat"`),
		"a schema that is too long":       WithSchema(strings.Repeat("a", 41)),
		"no replica":                      WithInsecureReplicaReads(nil),
		"no feed":                         WithFeedConfig(nil),
	} {
		_, err := New(t.Context(), pool, opt)
		require.ErrorIs(t, err, pat.ErrInvalidArgument, name)
		require.ErrorIs(t, Migrate(t.Context(), pool, opt), pat.ErrInvalidArgument, name)
	}
	_, err := New(t.Context(), nil)
	require.ErrorIs(t, err, pat.ErrInvalidArgument)
}

func TestTheLongestNameOfASchemaWorks(t *testing.T) {
	name := strings.Repeat("a", maxSchemaLength)
	pool := pgtest.Pool(t)
	drop := func() {
		_, err := pool.Exec(t.Context(), `DROP SCHEMA IF EXISTS "`+name+`" CASCADE`)
		require.NoError(t, err)
	}
	drop()
	defer drop()
	s := openIn(t, pool, name)
	rec := s.add(t, 1)[0]
	feed := follow(t, s)
	_, _, err := s.Revoke(t.Context(), rec.Token.ID, created)
	require.NoError(t, err)
	assert.Equal(t, []string{rec.Token.Prefix}, feed.told(t))
}

func TestADatabaseOfAnotherEncodingIsRefused(t *testing.T) {
	pool := pgtest.Pool(t)
	name := pgtest.Schema(t)
	_, err := pool.Exec(t.Context(), "CREATE DATABASE "+name+" ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
	require.NoError(t, err)
	defer func() {
		_, err := pool.Exec(t.Context(), "DROP DATABASE "+name+" WITH (FORCE)")
		assert.NoError(t, err)
	}()
	ascii := pgtest.Pool(t, func(c *pgxpool.Config) { c.ConnConfig.Database = name })
	_, err = New(t.Context(), ascii)
	require.ErrorIs(t, err, errEncoding)
}

// The rights are those that the package's documentation grants.
func TestARoleThatOwnsNothingCanDoEverything(t *testing.T) {
	pool := pgtest.Pool(t)
	role := pgtest.Schema(t)
	_, err := pool.Exec(t.Context(), "CREATE ROLE "+role+" LOGIN")
	require.NoError(t, err)
	defer func() {
		_, err := pool.Exec(t.Context(), "DROP OWNED BY "+role+"; DROP ROLE "+role)
		assert.NoError(t, err)
	}()
	poor := pgtest.Pool(t, hurried, func(c *pgxpool.Config) {
		c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "SET ROLE "+role)
			return err
		}
	})
	_, err = New(t.Context(), poor, WithSchema(role))
	require.ErrorContains(t, err, "42501", "it can't migrate")
	schema := pgtest.Schema(t)
	require.NoError(t, Migrate(t.Context(), pool, WithSchema(schema)))
	_, err = pool.Exec(t.Context(), strings.NewReplacer("$schema", schema, "$role", role).Replace(
		"GRANT USAGE ON SCHEMA $schema TO $role; GRANT SELECT ON $schema.pat_schema TO $role; "+
			"GRANT SELECT, INSERT, UPDATE, DELETE ON $schema.pat_tokens TO $role"))
	require.NoError(t, err)
	conform(t, openIn(t, poor, schema))
}

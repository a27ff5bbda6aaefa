package postgres

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/internal/pgtest"
)

func TestRetryingIsBounded(t *testing.T) {
	failure := errors.New("failure")
	count := func(ctx context.Context, errs ...error) (tries int, took time.Duration, err error) {
		started := time.Now()
		err = retrying(ctx, func() error {
			tries++
			return errs[min(tries, len(errs))-1]
		})
		return tries, time.Since(started), err
	}
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		tries, _, err := count(ctx, &transientError{failure})
		assert.Equal(t, maxTries, tries)
		assert.Equal(t, failure, err)
		tries, took, err := count(ctx, &transientError{failure}, &transientError{failure}, nil)
		assert.Equal(t, 3, tries)
		assert.GreaterOrEqual(t, took, (firstPause+5*firstPause)/2)
		assert.Less(t, took, (firstPause+5*firstPause)*3/2)
		require.NoError(t, err)
		_, again, _ := count(ctx, &transientError{failure}, &transientError{failure}, nil)
		assert.NotEqual(t, took, again, "chance keeps two callers apart")
		tries, _, err = count(ctx, failure)
		assert.Equal(t, 1, tries)
		assert.Equal(t, failure, err)
		ended, cancel := context.WithCancel(ctx)
		tries, _, _ = count(ended, &transientError{failure}, nil)
		assert.Equal(t, 2, tries)
		cancel()
		tries, _, _ = count(ended, &transientError{failure})
		assert.Equal(t, 1, tries)
		tries = 0
		_ = retrying(ctx, func() error {
			tries++
			<-time.After(retryWindow + time.Second)
			return &transientError{failure}
		})
		assert.Equal(t, 1, tries, "a server that takes long to refuse")
	})
}

func TestAWrongPasswordIsNotTriedAgain(t *testing.T) {
	connects := 0
	pool := pgtest.Pool(t, func(c *pgxpool.Config) {
		c.ConnConfig.Database = "no_such_database"
		c.BeforeConnect = func(context.Context, *pgx.ConnConfig) error {
			connects++
			return nil
		}
	})
	s := &Store{stmts: newStatements("pat"), schema: "pat", pool: pool, readPool: pool}
	_, err := s.FindByID(t.Context(), testRecord(1).Token.ID)
	require.True(t, isCode(err, "3D000"), "%v", err)
	assert.Equal(t, 1, connects)
}

func TestARefusedConnectionIsTriedAgainWhereItsReasonMayPass(t *testing.T) {
	for _, c := range []struct {
		code, reason string
		want         bool
	}{
		{"08006", "connection_failure", true},
		{"53300", "too_many_connections", true},
		{"57P03", "cannot_connect_now", true},
		{"28P01", "invalid_password", false},
		{"3D000", "invalid_catalog_name", false},
	} {
		assert.Equal(t, c.want, passes(c.code), c.reason)
	}
}

package postgres

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

func assertArgument(t *testing.T, err error) (string, bool) {
	t.Helper()
	argument, ok := errors.AsType[*pat.ArgumentError](err)
	if !ok {
		return "", false
	}
	return argument.Argument, true
}

// withoutChecks takes away the constraints, so that a test can write what they would refuse.
func (s *Store) withoutChecks(t *testing.T) {
	t.Helper()
	s.sql(t, `DO $$ DECLARE c name; BEGIN
		FOR c IN SELECT conname FROM pg_constraint WHERE conrelid = 'pat_tokens'::regclass AND contype = 'c' LOOP
			EXECUTE format('ALTER TABLE pat_tokens DROP CONSTRAINT %I', c);
		END LOOP;
	END $$`)
}

func TestACorruptRowIsAnErrorOfEveryMethod(t *testing.T) {
	s := testStore(t)
	s.withoutChecks(t)
	for n, damage := range []string{
		`digest = '\x00'`, "scopes = 'a a'", "created_at = 'infinity'", "revoked_at = '-infinity'", "expires_at = 'infinity'",
		"updated_at = '1969-12-31'", "name = ''",
	} {
		t.Run(damage, func(t *testing.T) {
			rec := s.add(t, n)[0]
			s.sql(t, "UPDATE pat_tokens SET "+damage+" WHERE prefix = $1", rec.Token.Prefix)
			_, err := s.FindByPrefix(t.Context(), rec.Token.Prefix)
			assert.ErrorIs(t, err, pat.ErrCorrupt)
			_, err = s.FindByID(t.Context(), rec.Token.ID)
			assert.ErrorIs(t, err, pat.ErrCorrupt)
			_, err = s.List(t.Context(), pat.ListQuery{Owner: pat.Owner{UserID: "user"}, IncludeRevoked: true, Limit: 10})
			assert.ErrorIs(t, err, pat.ErrCorrupt)
			assert.ErrorIs(t, s.Rotate(t.Context(), successor(rec, n+100, 0)), pat.ErrCorrupt)
		})
	}
}

// The constraints refuse what could not be read back, also from somebody who writes by hand.
func TestTheTableRefusesWhatCouldNotBeReadBack(t *testing.T) {
	s := testStore(t)
	s.add(t, 1)
	for _, damage := range []string{
		"prefix = ''", "digest = ''", "user_id = ''", "group_id = ''", "name = ''", "created_at = 'infinity'", "updated_at = '1969-12-31'",
		"expires_at = '-infinity'", "last_used_at = 'infinity'", "revoked_at = 'infinity'",
	} {
		_, err := s.pool.Exec(t.Context(), "UPDATE "+s.table()+" SET "+damage)
		assert.True(t, isCode(err, "23514"), "%s: %v", damage, err)
	}
}

// In an incident, one row that can't be read must not keep the others alive, nor itself.
func TestWhatCannotBeReadIsRevokedNevertheless(t *testing.T) {
	s := testStore(t)
	s.withoutChecks(t)
	recs := s.add(t, 1, 2, 3)
	at := created.Add(time.Hour)
	revokedRows := func() int {
		return number(t, s.pool, "SELECT count(*) FROM "+s.table()+" WHERE revoked_at = $1", at)
	}
	s.sql(t, "UPDATE pat_tokens SET scopes = 'a  a' WHERE prefix = $1", recs[1].Token.Prefix)
	_, changed, err := s.Revoke(t.Context(), recs[1].Token.ID, at)
	require.ErrorIs(t, err, pat.ErrCorrupt)
	assert.False(t, changed)
	assert.Equal(t, 1, revokedRows())

	s.sql(t, "UPDATE pat_tokens SET revoked_at = NULL")
	revoked, err := s.RevokeAll(t.Context(), pat.Owner{UserID: "user"}, at)
	require.ErrorIs(t, err, pat.ErrCorrupt)
	assert.Len(t, revoked, 2, "the readable ones are returned")
	assert.Equal(t, 3, revokedRows())
}

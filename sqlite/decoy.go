package sqlite

import "github.com/patkit/pat"

// decoyPrefix is the prefix of the decoy. No token has it, because of the space.
const decoyPrefix = "no token"

// decoy is a row like that of a usual token. Where a prefix is absent it is read and decoded like any other. Without it
// an absent prefix would be found out in three quarters of the time that a wrong secret takes, and the difference would
// tell which prefixes exist.
//
// It goes behind the SELECT of a token: SQLite runs the parts of a UNION ALL from left to right, and stops behind the
// first row, which is all that is asked for. It is a subquery so that what is selected from it is worked out row by row
// as it is for a token, and not as a constant, before SQLite knows whether it is needed.
const decoy = " FROM (SELECT '" + decoyPrefix + "' AS prefix, zeroblob(16) AS id," +
	" x'" + decoyDigest + "' AS digest, 'usual-user' AS user_id, 'usual-group' AS group_id," +
	" 'usual name' AS name, 'public_scope' AS scopes, 1924992000000000 AS created_at, 1924992000000000 AS updated_at," +
	" 1924992000000000 AS expires_at, 1924992000000000 AS last_used_at, NULL AS revoked_at, NULL AS rotated_from, NULL AS rotated_to)"

// decoyDigest is sha256$$ and 32 bytes. A text that is cast would be in UTF-16 in some databases.
const decoyDigest = "7368613235362424" + "2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e"

const findByPrefixOrDecoy = findByPrefix + " UNION ALL SELECT " + columns + decoy

// orNotFound makes of the decoy what it stands for.
func orNotFound(rec pat.Record, err error) (pat.Record, error) {
	if err == nil && rec.Token.Prefix == decoyPrefix {
		return pat.Record{}, pat.ErrNotFound
	}
	return rec, err
}

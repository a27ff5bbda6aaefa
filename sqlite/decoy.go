package sqlite

import "github.com/patkit/pat"

// decoyPrefix is the prefix of the decoy. No token has it, because of the space.
const decoyPrefix = "no token"

// findByPrefixOrDecoy returns the decoy where the prefix is absent: a row like that of a usual token, which is read and
// decoded like any other. Without it an absent prefix would be found out in three quarters of the time that a wrong
// secret takes, and the difference would tell which prefixes exist. SQLite runs the parts of a UNION ALL from left to
// right, and stops behind the first row, which is all that is asked for.
const findByPrefixOrDecoy = findByPrefix + " UNION ALL SELECT '" + decoyPrefix + "', zeroblob(16)," +
	" CAST('sha256$$................................' AS BLOB), 'usual-user', 'usual-group', 'usual name', 'public_scope'," +
	" 1, 1, 1, NULL, NULL, NULL, NULL" //nolint:dupword // SQL

// orNotFound makes of the decoy what it stands for.
func orNotFound(rec pat.Record, err error) (pat.Record, error) {
	if err == nil && rec.Token.Prefix == decoyPrefix {
		return pat.Record{}, pat.ErrNotFound
	}
	return rec, err
}

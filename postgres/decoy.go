package postgres

import "github.com/jackc/pgx/v5/pgtype"

// decoyPrefix is the prefix of the decoy. No token has it, because of the space.
const decoyPrefix = "no token"

// findByPrefixOrDecoy returns one row in any case: whether the server is in recovery, and the token, or else the decoy,
// which is a row like that of a usual token, sent and decoded like any other. Without it an absent prefix would be found
// out in less time than a wrong secret takes, and the difference would tell which prefixes exist.
func findByPrefixOrDecoy(table string) *statement {
	const usual = "coalesce(prefix, '" + decoyPrefix + "'), coalesce(id, '00000000-0000-4000-8000-000000000000'::uuid), " +
		"coalesce(digest, 'sha256$$................................'::bytea), coalesce(user_id, 'usual-user'), " +
		"coalesce(group_id, 'usual-group'), coalesce(name, 'usual name'), coalesce(scopes, 'public_scope'), " +
		"coalesce(created_at, 'epoch'), coalesce(updated_at, 'epoch'), expires_at, last_used_at, revoked_at, rotated_from, rotated_to"
	return newStatement("SELECT standby, "+usual+" FROM (SELECT pg_is_in_recovery() AS standby) AS server LEFT JOIN "+table+" ON prefix = $1",
		1+len(columnTypes), pgtype.TextOID)
}

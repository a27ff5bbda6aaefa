-- One row per token. Every verification looks it up by the prefix.
--
-- Text compares bytewise (COLLATE "C"), whatever the database's collation is: prefixes that differ in case are
-- different, and no upgrade of the operating system's collations can make an index wrong. Times are microseconds, which
-- is what timestamptz holds; NULL is none.
--
-- last_used_at stands in no index, and a page is filled to 85 in a hundred: so the most frequent write, that of a use,
-- finds room on the page of its row and touches no index (a heap-only tuple update, HOT).
CREATE TABLE pat_tokens (
	prefix       text COLLATE "C" NOT NULL PRIMARY KEY CHECK (prefix <> ''),
	id           uuid             NOT NULL UNIQUE,
	digest       bytea            NOT NULL CHECK (length(digest) > 0),
	user_id      text COLLATE "C" NOT NULL CHECK (user_id <> ''),
	group_id     text COLLATE "C" NOT NULL CHECK (group_id <> ''),
	name         text COLLATE "C" NOT NULL CHECK (name <> ''),
	scopes       text COLLATE "C" NOT NULL,
	created_at   timestamptz(6)   NOT NULL CHECK (created_at >= 'epoch' AND created_at < 'infinity'),
	updated_at   timestamptz(6)   NOT NULL CHECK (updated_at >= 'epoch' AND updated_at < 'infinity'),
	expires_at   timestamptz(6)   CHECK (expires_at >= 'epoch' AND expires_at < 'infinity'),
	last_used_at timestamptz(6)   CHECK (last_used_at >= 'epoch' AND last_used_at < 'infinity'),
	revoked_at   timestamptz(6)   CHECK (revoked_at >= 'epoch' AND revoked_at < 'infinity'),
	rotated_from uuid,
	rotated_to   uuid
) WITH (fillfactor = 85);

-- The lists, newest first, of a group and of a user. Live and revoked tokens have indexes of their own. A token is in one
-- of the two, so this costs no more than a common one, and neither the plain list nor the group's limit has to wade
-- through tombstones. That of live tokens has 77 bytes for each of a user and 96 of a group: 19 more for rotated_to and
-- expires_at, which let the limit be counted in the index alone.
CREATE INDEX pat_tokens_group_live ON pat_tokens (group_id, created_at, id) INCLUDE (rotated_to, expires_at) WHERE revoked_at IS NULL;
CREATE INDEX pat_tokens_group_revoked ON pat_tokens (group_id, created_at, id) WHERE revoked_at IS NOT NULL;
CREATE INDEX pat_tokens_user_live ON pat_tokens (user_id, created_at, id) WHERE revoked_at IS NULL;
CREATE INDEX pat_tokens_user_revoked ON pat_tokens (user_id, created_at, id) WHERE revoked_at IS NOT NULL;

-- What a purge looks for: 22 bytes per token that expires. Without them, every batch of a purge would read the whole table.
CREATE INDEX pat_tokens_expiring ON pat_tokens (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX pat_tokens_revoked ON pat_tokens (revoked_at) WHERE revoked_at IS NOT NULL;

-- The change feed. It is sent by the table itself, so that changes which somebody makes by hand are heard too, and at
-- the commit of the very transaction that makes them. A use and a new digest are no changes, and nothing can have been
-- remembered of a token that is only now added. Equal notices of one transaction are sent once
-- (https://www.postgresql.org/docs/current/sql-notify.html).
--
-- The search_path is empty, so that nobody can put another function in the place of one that is called here.
CREATE FUNCTION pat_notify() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER SET search_path = '' AS $$
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		PERFORM pg_catalog.pg_notify(TG_TABLE_SCHEMA || '_pat_changes', '');
	ELSE
		PERFORM pg_catalog.pg_notify(TG_TABLE_SCHEMA || '_pat_changes',
			CASE WHEN pg_catalog.octet_length(OLD.prefix) OPERATOR(pg_catalog.<=) 128 THEN OLD.prefix ELSE '' END);
	END IF;
	RETURN NULL;
END
$$;

CREATE TRIGGER pat_tokens_updated AFTER UPDATE OF prefix, id, user_id, group_id, name, scopes, created_at, updated_at, expires_at,
	revoked_at, rotated_from, rotated_to ON pat_tokens FOR EACH ROW WHEN (
	(OLD.prefix, OLD.id, OLD.user_id, OLD.group_id, OLD.name, OLD.scopes, OLD.created_at, OLD.updated_at, OLD.expires_at, OLD.revoked_at,
		OLD.rotated_from, OLD.rotated_to) IS DISTINCT FROM
	(NEW.prefix, NEW.id, NEW.user_id, NEW.group_id, NEW.name, NEW.scopes, NEW.created_at, NEW.updated_at, NEW.expires_at, NEW.revoked_at,
		NEW.rotated_from, NEW.rotated_to)
) EXECUTE FUNCTION pat_notify();
CREATE TRIGGER pat_tokens_deleted AFTER DELETE ON pat_tokens FOR EACH ROW EXECUTE FUNCTION pat_notify();
CREATE TRIGGER pat_tokens_truncated AFTER TRUNCATE ON pat_tokens FOR EACH STATEMENT EXECUTE FUNCTION pat_notify();

-- Also where the change comes by logical replication, or from a session whose session_replication_role is replica.
ALTER TABLE pat_tokens ENABLE ALWAYS TRIGGER pat_tokens_updated;
ALTER TABLE pat_tokens ENABLE ALWAYS TRIGGER pat_tokens_deleted;
ALTER TABLE pat_tokens ENABLE ALWAYS TRIGGER pat_tokens_truncated;

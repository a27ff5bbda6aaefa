-- Turns the table of tokens into one that is partitioned by hash of the prefix, empty or with tokens in it, in one
-- transaction. It is run by hand, with the schema as search_path, and 16 partitions unless the second setting is given:
--
--   PGOPTIONS='-c search_path=pat -c pat.partitions=16' psql -v ON_ERROR_STOP=1 -f postgres/partition.sql "$URL"
--
-- It needs PostgreSQL 14, and a role that owns the table or is a member of its owner. While it copies, tokens are read
-- as ever, and who writes one waits. docs/scaling.md says when it is worth it.
BEGIN;

-- Everything shall belong to the owner of the table.
SELECT set_config('role', tableowner, true) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'pat_tokens';
LOCK TABLE pat_tokens IN EXCLUSIVE MODE;

CREATE TABLE pat_new (LIKE pat_tokens INCLUDING CONSTRAINTS) PARTITION BY HASH (prefix);

-- An index of a partitioned table can only be unique if it has the prefix in it. So the ids have a table of their own,
-- which a trigger keeps.
CREATE TABLE pat_token_ids (id uuid NOT NULL);

-- The partitions have to be in the schema of the table, because the change feed is named after it. Triggers of rows are
-- handed on to them. One of TRUNCATE is not, so each has its own.
DO $do$
DECLARE
	partitions CONSTANT integer := coalesce(nullif(current_setting('pat.partitions', true), ''), '16');
	n integer;
BEGIN
	FOR n IN 0 .. partitions - 1 LOOP
		EXECUTE format('CREATE TABLE pat_tokens_%s PARTITION OF pat_new FOR VALUES WITH (MODULUS %s, REMAINDER %s) WITH (fillfactor = 85)',
			n, partitions, n);
		EXECUTE format('CREATE TRIGGER pat_tokens_truncated AFTER TRUNCATE ON pat_tokens_%s FOR EACH STATEMENT EXECUTE FUNCTION pat_notify()', n);
	END LOOP;
END
$do$;

INSERT INTO pat_new SELECT * FROM pat_tokens;
INSERT INTO pat_token_ids SELECT id FROM pat_tokens;

-- The indexes come after the rows: to sort once is quicker.
ALTER TABLE pat_new ADD CONSTRAINT pat_new_pkey PRIMARY KEY (prefix);
CREATE INDEX pat_new_id_key ON pat_new (id);
CREATE INDEX pat_new_group_live ON pat_new (group_id, created_at, id) INCLUDE (rotated_to, expires_at) WHERE revoked_at IS NULL;
CREATE INDEX pat_new_group_revoked ON pat_new (group_id, created_at, id) WHERE revoked_at IS NOT NULL;
CREATE INDEX pat_new_user_live ON pat_new (user_id, created_at, id) WHERE revoked_at IS NULL;
CREATE INDEX pat_new_user_revoked ON pat_new (user_id, created_at, id) WHERE revoked_at IS NOT NULL;
CREATE INDEX pat_new_expiring ON pat_new (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX pat_new_revoked ON pat_new (revoked_at) WHERE revoked_at IS NOT NULL;
ALTER TABLE pat_token_ids ADD PRIMARY KEY (id);

-- The change feed, as before.
CREATE TRIGGER pat_tokens_updated AFTER UPDATE OF prefix, id, user_id, group_id, name, scopes, created_at, updated_at, expires_at,
	revoked_at, rotated_from, rotated_to ON pat_new FOR EACH ROW WHEN (
	(OLD.prefix, OLD.id, OLD.user_id, OLD.group_id, OLD.name, OLD.scopes, OLD.created_at, OLD.updated_at, OLD.expires_at, OLD.revoked_at,
		OLD.rotated_from, OLD.rotated_to) IS DISTINCT FROM
	(NEW.prefix, NEW.id, NEW.user_id, NEW.group_id, NEW.name, NEW.scopes, NEW.created_at, NEW.updated_at, NEW.expires_at, NEW.revoked_at,
		NEW.rotated_from, NEW.rotated_to)
) EXECUTE FUNCTION pat_notify();
CREATE TRIGGER pat_tokens_deleted AFTER DELETE ON pat_new FOR EACH ROW EXECUTE FUNCTION pat_notify();
CREATE TRIGGER pat_tokens_truncated AFTER TRUNCATE ON pat_new FOR EACH STATEMENT EXECUTE FUNCTION pat_notify();
DO $do$
DECLARE
	fed record;
BEGIN
	FOR fed IN
		SELECT t.tgrelid::regclass AS place, t.tgname AS name FROM pg_trigger AS t
		WHERE t.tgfoid = 'pat_notify'::regproc AND t.tgrelid <> 'pat_tokens'::regclass ORDER BY t.tgparentid <> 0
	LOOP
		EXECUTE format('ALTER TABLE ONLY %s ENABLE ALWAYS TRIGGER %I', fed.place, fed.name);
	END LOOP;
END
$do$;

-- The ids. It runs with the rights of its owner, so that the service needs none on the table of the ids, and nobody else
-- may put it to use.
DO $do$
BEGIN
	EXECUTE format($format$
		CREATE FUNCTION pat_keep_ids() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
		BEGIN
			IF TG_OP = 'TRUNCATE' THEN
				TRUNCATE %1$I.pat_token_ids;
				RETURN NULL;
			END IF;
			IF TG_OP <> 'INSERT' THEN
				DELETE FROM %1$I.pat_token_ids WHERE id = OLD.id;
			END IF;
			IF TG_OP <> 'DELETE' THEN
				INSERT INTO %1$I.pat_token_ids (id) VALUES (NEW.id);
			END IF;
			RETURN NULL;
		END
		$$
	$format$, current_schema());
END
$do$;
REVOKE ALL ON FUNCTION pat_keep_ids() FROM PUBLIC;
CREATE TRIGGER pat_tokens_ids AFTER INSERT OR DELETE OR UPDATE OF id ON pat_new FOR EACH ROW EXECUTE FUNCTION pat_keep_ids();
CREATE TRIGGER pat_tokens_ids_truncated AFTER TRUNCATE ON pat_new FOR EACH STATEMENT EXECUTE FUNCTION pat_keep_ids();

-- Who had rights has them again.
DO $do$
DECLARE
	granted record;
BEGIN
	FOR granted IN
		SELECT a.privilege_type AS kind, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS role,
			CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS further
		FROM pg_class AS c, aclexplode(c.relacl) AS a WHERE c.oid = 'pat_tokens'::regclass AND a.grantee <> c.relowner
	LOOP
		EXECUTE format('GRANT %s ON pat_new TO %s%s', granted.kind, granted.role, granted.further);
	END LOOP;
END
$do$;

-- From here to the end nobody reads either.
DROP TABLE pat_tokens;
ALTER TABLE pat_new RENAME TO pat_tokens;
DO $do$
DECLARE
	name text;
BEGIN
	FOR name IN SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND tablename = 'pat_tokens' LOOP
		EXECUTE format('ALTER INDEX %I RENAME TO %I', name, replace(name, 'pat_new', 'pat_tokens'));
	END LOOP;
END
$do$;

COMMIT;

// What the feed needs to find in a database, as one text that can be run again at any time: by the server itself
// where its role may, or by a DBA (`coherent-server db prepare` prints it).
//
//   schema coherent            functions and three small tables; nothing of the application is touched
//   publication coherent       the tables whose changes the feed reads; one by one, never FOR ALL TABLES, because a
//                              published table without a replica identity refuses UPDATE and DELETE
//   publication coherent_tracked   those whose changes it is known to have read without a gap, which is what
//                              statements may rely on. It publishes nothing: it is a list that the catalog knows
//   event triggers             tell of changed definitions, in the log, and take a table out of the publications before
//                              these stand in the way of its owner. Only a superuser may make them (or a role that the
//                              provider allows it). Without them the feed compares a fingerprint of the catalog
//
// None of it may break a statement of the application. A published table refuses some: UPDATE and DELETE while it has no
// identity that the log can tell, SET UNLOGGED. So only tables that refuse nothing are published (coherent.qualifies), and
// the event triggers take out, in the same transaction, those that would begin to. Where the role may not make event triggers,
// tables whose owner could bring that about unknowingly, by dropping a key, stay out (setup.ts).
//
// The functions that change the publications run with the rights of the role that installed them, so that a role that owns
// no table can still have tables followed.

/** What the log is read through, and what statements may rely on. */
export const PUBLICATION = 'coherent';
export const TRACKED_PUBLICATION = 'coherent_tracked';
/** Raised with every change below: an older installation is then renewed. */
export const INSTALLED_VERSION = 5;

/**
 * A table can be followed: logged, permanent, of the application, its UPDATEs and DELETEs can be told, and its owner has
 * not taken it out.
 */
const QUALIFIES = `
CREATE OR REPLACE FUNCTION coherent.qualifies(relation oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT EXISTS (
    SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = relation AND c.relpersistence = 'p' AND c.relkind IN ('r', 'p')
      AND n.nspname NOT IN ('coherent', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
      AND NOT EXISTS (SELECT FROM coherent.tables t WHERE t.relation = c.oid AND t.kept_out)
      AND CASE
        -- A partition made later has no identity of its own choosing, but it does get the root's primary key.
        WHEN c.relkind = 'p' THEN EXISTS (SELECT FROM pg_index i
          WHERE i.indrelid = c.oid AND i.indisprimary AND i.indisvalid AND i.indimmediate)
          AND NOT EXISTS (SELECT FROM pg_partition_tree(c.oid) t JOIN pg_class leaf ON leaf.oid = t.relid
            WHERE t.isleaf AND (leaf.relkind <> 'r' OR leaf.relpersistence <> 'p' OR NOT coherent.has_identity(leaf.oid)))
        ELSE coherent.has_identity(c.oid) END)
$$;`;

/**
 * REPLICA IDENTITY FULL means all columns, and Postgres 18 refuses an UPDATE whose old row the log cannot tell whole:
 * virtual columns are never in it. Stored ones are, where the publication says so (`publish_generated_columns`).
 */
const HAS_IDENTITY = `
CREATE OR REPLACE FUNCTION coherent.has_identity(relation oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT EXISTS (SELECT FROM pg_class c WHERE c.oid = relation AND ((c.relreplident = 'f'
      AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attgenerated = 'v' AND NOT a.attisdropped))
    OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate
      AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END)))
$$;`;

/**
 * In one transaction with the check: the lock that ADD TABLE takes keeps the identity as it was checked.
 *
 * Servers from before May 2025 (14.18, 15.13, 16.9, 17.5) do not tell transactions that run at the time of a table's
 * publication: their log reader goes on leaving it out, even after they have ended. There no client may be writing to
 * the table, so it is locked for a moment; where that takes longer than lock_timeout it is tried again later.
 */
const PUBLISH = `
CREATE OR REPLACE FUNCTION coherent.publish(relation regclass) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE version integer := current_setting('server_version_num')::integer;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
                 WHERE p.pubname = '${PUBLICATION}' AND r.prrelid = relation) THEN
    IF version < (CASE version / 10000 WHEN 14 THEN 140018 WHEN 15 THEN 150013 WHEN 16 THEN 160009 ELSE 170005 END) THEN
      EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', relation);
    END IF;
    EXECUTE format('ALTER PUBLICATION ${PUBLICATION} ADD TABLE ONLY %s', relation);
  END IF;
  IF coherent.qualifies(relation) THEN RETURN true; END IF;
  EXECUTE format('ALTER PUBLICATION ${PUBLICATION} DROP TABLE ONLY %s', relation);
  RETURN false;
END $$;`;

/**
 * Which entry of which publication, as it stands: another one later on means that the table was out of it meanwhile, or
 * was published otherwise, however short that was.
 */
export const entryOf = (relation: string): string =>
  `(SELECT concat_ws(' ', r.oid, p.oid, p.xmin) FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
    WHERE p.pubname = '${PUBLICATION}' AND r.prrelid = ${relation})`;

const TRACK = `
CREATE OR REPLACE FUNCTION coherent.track(relation regclass) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  EXECUTE format('ALTER PUBLICATION ${TRACKED_PUBLICATION} ADD TABLE ONLY %s', relation);
  INSERT INTO coherent.tables AS t (relation, entry) VALUES (track.relation, ${entryOf('track.relation')})
    ON CONFLICT ON CONSTRAINT tables_pkey DO UPDATE SET entry = excluded.entry;
END $$;`;

const FORGET = `
CREATE OR REPLACE FUNCTION coherent.forget(relation regclass) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE held name;
BEGIN
  FOR held IN SELECT p.pubname FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
              WHERE r.prrelid = relation AND p.pubname IN ('${PUBLICATION}', '${TRACKED_PUBLICATION}')
  LOOP
    EXECUTE format('ALTER PUBLICATION %I DROP TABLE ONLY %s', held, relation);
  END LOOP;
  UPDATE coherent.tables t SET entry = NULL WHERE t.relation = forget.relation AND t.entry IS NOT NULL;
END $$;`;

/** For the table's owner, around what Postgres refuses on a published table where no event trigger sees to it. */
const BY_OWNER = `
CREATE OR REPLACE FUNCTION coherent.unfollow(relation regclass) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  PERFORM coherent.must_own(relation);
  INSERT INTO coherent.tables AS t (relation, kept_out) VALUES (unfollow.relation, true)
    ON CONFLICT ON CONSTRAINT tables_pkey DO UPDATE SET kept_out = true;
  PERFORM coherent.forget(relation);
END $$;
CREATE OR REPLACE FUNCTION coherent.follow(relation regclass) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  PERFORM coherent.must_own(relation);
  UPDATE coherent.tables t SET kept_out = false WHERE t.relation = follow.relation;
  -- The feed looks at the tables again when definitions change.
  PERFORM pg_logical_emit_message(true, 'coherent.ddl', 'changed');
END $$;
CREATE OR REPLACE FUNCTION coherent.must_own(relation regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF NOT pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = relation), 'USAGE') THEN
    RAISE EXCEPTION 'must be owner of table %', relation USING ERRCODE = '42501';
  END IF;
END $$;
COMMENT ON FUNCTION coherent.unfollow(regclass) IS
  'Pages made from the table live by their TTL from here on; nothing is refused on it any more. For its owner.';
COMMENT ON FUNCTION coherent.follow(regclass) IS 'Takes unfollow back.';`;

const PURGE = `
CREATE OR REPLACE FUNCTION coherent.purge(VARIADIC keys text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  IF EXISTS (SELECT FROM unnest(keys) key WHERE key IS NULL OR key = '' OR length(key) > 16384) THEN
    RAISE EXCEPTION 'coherent.purge: a key is a text of 1 to 16384 characters' USING ERRCODE = '22023';
  END IF;
  PERFORM pg_logical_emit_message(true, 'coherent', to_json(keys)::text);
END $$;
COMMENT ON FUNCTION coherent.purge(text[]) IS
  'Purges pages made from these keys, everywhere, if and when this transaction commits.';`;

/**
 * Runs inside other people's ALTER TABLE, so it must not fail it. A table that loses its identity leaves the
 * publication in the same transaction: the next UPDATE of that transaction would be refused otherwise.
 */
const ON_DEFINITION = `
CREATE OR REPLACE FUNCTION coherent.on_definition() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE relation oid;
BEGIN
  -- Taking a table out is a definition, too, which brings us here again.
  IF TG_TAG <> 'ALTER PUBLICATION' THEN
    FOR relation IN SELECT r.prrelid FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
                    WHERE p.pubname = '${PUBLICATION}' AND NOT coherent.qualifies(r.prrelid)
    LOOP
      BEGIN
        PERFORM coherent.forget(relation::regclass);
      EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'coherent: % could not be taken out of the publication (%)', relation::regclass, SQLERRM;
      END;
    END LOOP;
  END IF;
  IF TG_EVENT = 'sql_drop' THEN
    IF NOT EXISTS (SELECT FROM pg_event_trigger_dropped_objects() WHERE NOT is_temporary) THEN RETURN; END IF;
  ELSIF NOT EXISTS (SELECT FROM pg_event_trigger_ddl_commands()
                    WHERE schema_name IS DISTINCT FROM 'pg_temp' AND command_tag <> 'REFRESH MATERIALIZED VIEW') THEN
    RETURN;
  END IF;
  PERFORM pg_logical_emit_message(true, 'coherent.ddl', CASE
    -- What they take back leaves no trace in the catalog, like what is dropped.
    WHEN TG_TAG IN ('ALTER TEXT SEARCH CONFIGURATION', 'ALTER OPERATOR FAMILY') THEN 'dropped'
    WHEN TG_EVENT <> 'sql_drop' THEN 'changed'
    WHEN EXISTS (SELECT FROM pg_event_trigger_dropped_objects() WHERE NOT is_temporary AND object_type IN
      ('table', 'view', 'materialized view', 'foreign table', 'index', 'table constraint', 'policy', 'rule', 'function',
       'aggregate', 'procedure', 'operator', 'cast', 'schema', 'type', 'domain constraint', 'collation', 'operator class',
       'operator family', 'operator of access method', 'function of access method', 'transform', 'text search configuration',
       'text search dictionary', 'text search parser', 'text search template')) THEN 'dropped'
    ELSE 'changed' END);
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'coherent: a changed definition was not told (%); it is found by comparing', SQLERRM;
END $$;`;

/**
 * Before an ALTER TABLE ... SET UNLOGGED, which Postgres refuses on a published table. At that point only the text of the
 * statement is known, so every followed table whose name stands in it goes out; what still qualifies comes back by itself.
 */
const BEFORE_DEFINITION = `
CREATE OR REPLACE FUNCTION coherent.before_definition() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE relation oid; said text := lower(current_query()); named oid[];
BEGIN
  IF said !~ 'unlogged' THEN RETURN; END IF;
  SELECT array_agg(c.oid) INTO named FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid JOIN pg_class c ON c.oid = r.prrelid
    WHERE p.pubname = '${PUBLICATION}' AND position(lower(c.relname) IN said) > 0;
  FOREACH relation IN ARRAY coalesce(named, '{}') LOOP
    PERFORM coherent.forget(relation::regclass);
  END LOOP;
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'coherent: a table could not be taken out of the publication (%)', SQLERRM;
END $$;`;

const EVENT_TRIGGERS = `
DROP EVENT TRIGGER IF EXISTS coherent_definitions;
DROP EVENT TRIGGER IF EXISTS coherent_drops;
DROP EVENT TRIGGER IF EXISTS coherent_before;
CREATE EVENT TRIGGER coherent_definitions ON ddl_command_end EXECUTE FUNCTION coherent.on_definition();
CREATE EVENT TRIGGER coherent_drops ON sql_drop EXECUTE FUNCTION coherent.on_definition();
CREATE EVENT TRIGGER coherent_before ON ddl_command_start WHEN TAG IN ('ALTER TABLE')
  EXECUTE FUNCTION coherent.before_definition();
ALTER EVENT TRIGGER coherent_definitions ENABLE ALWAYS;
ALTER EVENT TRIGGER coherent_drops ENABLE ALWAYS;
ALTER EVENT TRIGGER coherent_before ENABLE ALWAYS;`;

const TABLE = `
CREATE TABLE IF NOT EXISTS coherent.feed (
  slot text PRIMARY KEY,
  system text NOT NULL,
  timeline integer NOT NULL,
  fingerprint text NOT NULL);
COMMENT ON TABLE coherent.feed IS
  'Where each change feed stood: another server, timeline or schema than it knew makes everything cached suspect.';`;

const TABLES = `
CREATE TABLE IF NOT EXISTS coherent.tables (
  relation oid PRIMARY KEY,
  entry text,
  kept_out boolean NOT NULL DEFAULT false);
COMMENT ON TABLE coherent.tables IS
  'How each tracked table was published when it became so, and which tables their owners have taken out.';`;

/** What watchers, webhooks and caches in front have not been told yet: src/data/feed/outbox.ts. */
const OUTBOX = `
CREATE TABLE IF NOT EXISTS coherent.outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  fleet text NOT NULL,
  target text NOT NULL,
  keys text,
  size integer NOT NULL,
  dropped bigint NOT NULL DEFAULT 0,
  batch text,
  added_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX IF NOT EXISTS outbox_by_target ON coherent.outbox (fleet, target, id);
COMMENT ON TABLE coherent.outbox IS
  'Purges that watchers, webhooks and caches in front have not been told of yet. keys is JSON; null: everything.';`;

/** Of a row of pg_publication. Generated columns are published from Postgres 18 on, which has a column for it. */
export const publishesAll = `pubinsert AND pubupdate AND pubdelete AND pubtruncate AND NOT pubviaroot
   AND coalesce(to_jsonb(pg_publication) ->> 'pubgencols', 's') = 's'`;

const PUBLICATIONS = `
DO $$
DECLARE options text := 'publish = ''insert, update, delete, truncate'', publish_via_partition_root = false';
BEGIN
  IF current_setting('server_version_num')::integer >= 180000 THEN
    options := options || ', publish_generated_columns = stored';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = '${PUBLICATION}') THEN
    EXECUTE 'CREATE PUBLICATION ${PUBLICATION} WITH (' || options || ')';
  ELSIF EXISTS (SELECT FROM pg_publication WHERE pubname = '${PUBLICATION}' AND NOT (${publishesAll})) THEN
    EXECUTE 'ALTER PUBLICATION ${PUBLICATION} SET (' || options || ')';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = '${TRACKED_PUBLICATION}') THEN
    CREATE PUBLICATION ${TRACKED_PUBLICATION} WITH (publish = '');
  END IF;
END $$;`;

const RIGHTS = `
REVOKE ALL ON FUNCTION coherent.publish(regclass), coherent.track(regclass), coherent.forget(regclass),
  coherent.purge(text[]) FROM PUBLIC;
GRANT USAGE ON SCHEMA coherent TO PUBLIC;`;

/** For an owner's rights: CREATE on the database. */
export const installSql = [
  'CREATE SCHEMA IF NOT EXISTS coherent;',
  TABLE,
  TABLES,
  OUTBOX,
  HAS_IDENTITY,
  QUALIFIES,
  PUBLISH,
  TRACK,
  FORGET,
  BY_OWNER,
  PURGE,
  PUBLICATIONS,
  RIGHTS,
  `COMMENT ON SCHEMA coherent IS 'coherent-render-server, version ${INSTALLED_VERSION}';`,
].join('\n');

/** For a superuser's. */
export const eventTriggerSql = `${ON_DEFINITION}\n${BEFORE_DEFINITION}\n${EVENT_TRIGGERS}`;

/**
 * The whole of it for a DBA, or for the role that a provider gives in place of one; `role` is the one in DATABASE_URL (or
 * FEED_DATABASE_URL). What only a superuser may is tried, and told where it is refused: nothing else depends on it.
 */
export function prepareSql(role: string): string {
  const name = `"${role.replaceAll('"', '""')}"`;
  const literal = `'${role.replaceAll("'", "''")}'`;
  return `-- coherent-render-server: what its change feed needs. Safe to run again.
-- wal_level must be logical:  ALTER SYSTEM SET wal_level = 'logical';  then restart Postgres.
-- On RDS, Cloud SQL, Azure: see docs/guides/managed-postgres.md
DO $do$ BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = ${literal} AND (rolreplication OR rolsuper)) THEN RETURN; END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_replication') THEN GRANT rds_replication TO ${name};
  ELSE ALTER ROLE ${name} REPLICATION; END IF;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE WARNING 'the role ${name.replaceAll("'", "''")} still needs the right to read the log: ALTER ROLE ... REPLICATION, or what the provider has in its place';
END $do$;
BEGIN;
${installSql}
-- One owner for all of it, so that DROP OWNED BY another one finds nothing here.
DO $do$
DECLARE command text;
BEGIN
  FOR command IN
    SELECT format('ALTER SCHEMA coherent OWNER TO %I', current_user)
    UNION ALL SELECT format('ALTER TABLE %s OWNER TO %I', c.oid::regclass, current_user)
      FROM pg_class c WHERE c.relnamespace = 'coherent'::regnamespace AND c.relkind = 'r'
    UNION ALL SELECT format('ALTER FUNCTION %s OWNER TO %I', p.oid::regprocedure, current_user)
      FROM pg_proc p WHERE p.pronamespace = 'coherent'::regnamespace
    UNION ALL SELECT format('ALTER PUBLICATION %I OWNER TO %I', p.pubname, current_user)
      FROM pg_publication p WHERE p.pubname IN ('${PUBLICATION}', '${TRACKED_PUBLICATION}')
  LOOP EXECUTE command; END LOOP;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE WARNING 'schema coherent keeps its owners (%)', SQLERRM;
END $do$;
DO $do$ BEGIN
  EXECUTE $sql$
${eventTriggerSql}
$sql$;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE WARNING 'no event triggers (%): only tables with REPLICA IDENTITY FULL are followed, see FEED_WITHOUT_TRIGGERS', SQLERRM;
END $do$;
GRANT EXECUTE ON FUNCTION coherent.publish(regclass), coherent.track(regclass), coherent.forget(regclass),
  coherent.purge(text[]) TO ${name};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA coherent TO ${name};
-- pg_dump by the owner of the database reads all of it.
GRANT SELECT ON ALL TABLES IN SCHEMA coherent TO pg_database_owner;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA coherent TO pg_database_owner, ${name};
COMMIT;
`;
}

// What the feed needs to find in a database, as one text that can be run again at any time: by the server itself
// where its role may, or by a DBA (`coherent-server db prepare` prints it).
//
//   schema coherent            functions and two small tables; nothing of the application is touched
//   publication coherent       the tables whose changes the feed reads; one by one, never FOR ALL TABLES, because a
//                              published table without a replica identity refuses UPDATE and DELETE
//   publication coherent_tracked   those whose changes it is known to have read without a gap, which is what
//                              statements may rely on. It publishes nothing: it is a list that the catalog knows
//   event triggers             tell of changed definitions, in the log; only a superuser may make them. Without
//                              them the feed compares a fingerprint of the catalog
//
// The functions that change the publications run with the rights of whoever installed them, so that a role that owns
// no table can still have tables followed.

/** What the log is read through, and what statements may rely on. */
export const PUBLICATION = 'coherent';
export const TRACKED_PUBLICATION = 'coherent_tracked';
/** Raised with every change below: an older installation is then renewed. */
export const INSTALLED_VERSION = 3;

/** A table can be followed: logged, permanent, of the application, and its UPDATEs and DELETEs can be told. */
const QUALIFIES = `
CREATE OR REPLACE FUNCTION coherent.qualifies(relation oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT EXISTS (
    SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = relation AND c.relpersistence = 'p' AND c.relkind IN ('r', 'p')
      AND n.nspname NOT IN ('coherent', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
      AND CASE
        -- A partition made later has no identity of its own choosing, but it does get the root's primary key.
        WHEN c.relkind = 'p' THEN EXISTS (SELECT FROM pg_index i
          WHERE i.indrelid = c.oid AND i.indisprimary AND i.indisvalid AND i.indimmediate)
          AND NOT EXISTS (SELECT FROM pg_partition_tree(c.oid) t JOIN pg_class leaf ON leaf.oid = t.relid
            WHERE t.isleaf AND (leaf.relkind <> 'r' OR leaf.relpersistence <> 'p' OR NOT coherent.has_identity(leaf.oid)))
        ELSE coherent.has_identity(c.oid) END)
$$;`;

const HAS_IDENTITY = `
CREATE OR REPLACE FUNCTION coherent.has_identity(relation oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT EXISTS (SELECT FROM pg_class c WHERE c.oid = relation AND (c.relreplident = 'f'
    OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate
      AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END)))
$$;`;

/**
 * In one transaction with the check: the lock that ADD TABLE takes keeps the identity as it was checked.
 *
 * Servers from before May 2025 (14.18, 15.13, 16.9, 17.5) do not tell transactions that run at the time of a table's
 * publication: their log reader goes on leaving it out, even after they have ended. There nobody may be writing to
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

const TRACK = `
CREATE OR REPLACE FUNCTION coherent.track(relation regclass) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  EXECUTE format('ALTER PUBLICATION ${TRACKED_PUBLICATION} ADD TABLE ONLY %s', relation);
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
END $$;`;

const PURGE = `
CREATE OR REPLACE FUNCTION coherent.purge(VARIADIC keys text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
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
  IF TG_EVENT = 'sql_drop' THEN
    IF NOT EXISTS (SELECT FROM pg_event_trigger_dropped_objects() WHERE NOT is_temporary) THEN RETURN; END IF;
  ELSIF NOT EXISTS (SELECT FROM pg_event_trigger_ddl_commands()
                    WHERE schema_name IS DISTINCT FROM 'pg_temp' AND command_tag <> 'REFRESH MATERIALIZED VIEW') THEN
    RETURN;
  END IF;
  PERFORM pg_logical_emit_message(true, 'coherent.ddl', CASE
    WHEN TG_EVENT <> 'sql_drop' THEN 'changed'
    WHEN EXISTS (SELECT FROM pg_event_trigger_dropped_objects() WHERE NOT is_temporary AND object_type IN
      ('table', 'view', 'materialized view', 'foreign table', 'index', 'table constraint', 'policy', 'rule', 'function',
       'aggregate', 'procedure', 'operator', 'cast', 'schema')) THEN 'dropped'
    ELSE 'changed' END);
  IF TG_TAG IN ('ALTER TABLE', 'DROP INDEX', 'CREATE TABLE') THEN
    FOR relation IN SELECT r.prrelid FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
                    WHERE p.pubname = '${PUBLICATION}' AND NOT coherent.qualifies(r.prrelid)
    LOOP
      PERFORM coherent.forget(relation::regclass);
    END LOOP;
  END IF;
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'coherent: a changed definition was not told (%); it is found by comparing', SQLERRM;
END $$;`;

const EVENT_TRIGGERS = `
DROP EVENT TRIGGER IF EXISTS coherent_definitions;
DROP EVENT TRIGGER IF EXISTS coherent_drops;
CREATE EVENT TRIGGER coherent_definitions ON ddl_command_end EXECUTE FUNCTION coherent.on_definition();
CREATE EVENT TRIGGER coherent_drops ON sql_drop EXECUTE FUNCTION coherent.on_definition();
ALTER EVENT TRIGGER coherent_definitions ENABLE ALWAYS;
ALTER EVENT TRIGGER coherent_drops ENABLE ALWAYS;`;

const TABLE = `
CREATE TABLE IF NOT EXISTS coherent.feed (
  slot text PRIMARY KEY,
  system text NOT NULL,
  timeline integer NOT NULL,
  fingerprint text NOT NULL);
COMMENT ON TABLE coherent.feed IS
  'Where each change feed stood: another server, timeline or schema than it knew makes everything cached suspect.';`;

/** What watchers, webhooks and caches in front have not been told yet: src/data/outbox.ts. */
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

/** Of a row of pg_publication. */
export const publishesAll = 'pubinsert AND pubupdate AND pubdelete AND pubtruncate AND NOT pubviaroot';

const PUBLICATIONS = `
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = '${PUBLICATION}') THEN
    CREATE PUBLICATION ${PUBLICATION};
  ELSIF EXISTS (SELECT FROM pg_publication WHERE pubname = '${PUBLICATION}' AND NOT (${publishesAll})) THEN
    ALTER PUBLICATION ${PUBLICATION} SET (publish = 'insert, update, delete, truncate', publish_via_partition_root = false);
  END IF;
  IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = '${TRACKED_PUBLICATION}') THEN
    CREATE PUBLICATION ${TRACKED_PUBLICATION} WITH (publish = '');
  END IF;
END $$;`;

const RIGHTS = `
REVOKE ALL ON FUNCTION coherent.publish(regclass), coherent.track(regclass), coherent.forget(regclass) FROM PUBLIC;
GRANT USAGE ON SCHEMA coherent TO PUBLIC;`;

/** For an owner's rights: CREATE on the database. */
export const installSql = [
  'CREATE SCHEMA IF NOT EXISTS coherent;',
  TABLE,
  OUTBOX,
  HAS_IDENTITY,
  QUALIFIES,
  PUBLISH,
  TRACK,
  FORGET,
  PURGE,
  PUBLICATIONS,
  RIGHTS,
  `COMMENT ON SCHEMA coherent IS 'coherent-render-server, version ${INSTALLED_VERSION}';`,
].join('\n');

/** For a superuser's. */
export const eventTriggerSql = `${ON_DEFINITION}\n${EVENT_TRIGGERS}`;

/** The whole of it for a DBA, who runs it as a superuser; `role` is the one in DATABASE_URL. */
export function prepareSql(role: string): string {
  const name = `"${role.replaceAll('"', '""')}"`;
  return `-- coherent-render-server: what its change feed needs. Safe to run again.
-- wal_level must be logical:  ALTER SYSTEM SET wal_level = 'logical';  then restart Postgres.
ALTER ROLE ${name} REPLICATION;
BEGIN;
${installSql}
${eventTriggerSql}
GRANT EXECUTE ON FUNCTION coherent.publish(regclass), coherent.track(regclass), coherent.forget(regclass) TO ${name};
GRANT SELECT, INSERT, UPDATE, DELETE ON coherent.feed, coherent.outbox TO ${name};
COMMIT;
`;
}

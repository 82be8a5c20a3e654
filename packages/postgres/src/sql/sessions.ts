import type { Space } from './script.ts'

/** How a session comes, goes, and is known to be alive. */
export const sessions = ({ schema, sessionClass, mutexClass }: Space): string => `
-- A session holds the advisory lock of its number for as long as its connection lasts. It must not ask for itself: nobody is
-- refused by a lock of his own.
CREATE OR REPLACE FUNCTION ${schema}.dead(session int) RETURNS boolean LANGUAGE sql VOLATILE AS $$
  SELECT pg_catalog.pg_try_advisory_xact_lock_shared(${sessionClass}, session)
$$;

-- Waits for its turn to decide about a key, until the end of the transaction. Whoever takes several takes them in the order
-- of the keys. What is read afterwards, by another statement, is what everybody before has committed.
CREATE OR REPLACE FUNCTION ${schema}.turn(key bigint) RETURNS void LANGUAGE sql VOLATILE AS $$
  SELECT pg_catalog.pg_advisory_xact_lock(${mutexClass}, (key >> 32)::int)
$$;

-- Drops what dead sessions have left; those of an earlier epoch stay for as long as they may believe in a lock. Waits for
-- nobody's row: whoever keeps one may be waiting for another that is dropped here.
CREATE OR REPLACE FUNCTION ${schema}.sweep(epoch ${schema}.epoch) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM ${schema}.session s WHERE s.number IN (
    SELECT o.number FROM ${schema}.session o
    WHERE CASE WHEN o.epoch = epoch.id THEN ${schema}.dead(o.number) ELSE epoch.since + o.ttl <= clock_timestamp() END
    FOR UPDATE SKIP LOCKED
  );
  DELETE FROM ${schema}.entry e WHERE (e.key, e.place) IN (
    SELECT o.key, o.place FROM ${schema}.entry o
    WHERE NOT EXISTS (SELECT FROM ${schema}.session s WHERE s.number = o.session AND s.epoch = epoch.id)
    FOR UPDATE SKIP LOCKED
  );
END
$$;

-- Begins a session on this connection. "grace": for how many milliseconds nothing may be granted, since the server has
-- forgotten locks that are still believed in.
CREATE OR REPLACE FUNCTION ${schema}.enter(
  ttl interval, namespace text, client text, owner text, OUT number int, OUT grace double precision
) LANGUAGE plpgsql AS $$
DECLARE
  now ${schema}.epoch;
  start timestamptz := pg_postmaster_start_time();
BEGIN
  number := nextval('${schema}.session_number');
  IF NOT pg_try_advisory_lock(${sessionClass}, number) THEN
    RAISE EXCEPTION 'session % is taken', number;
  END IF;
  PERFORM pg_advisory_xact_lock(${sessionClass}, 0);
  SELECT * INTO now FROM ${schema}.epoch;
  IF NOT FOUND OR now.started <> start THEN
    -- Empty after a crash, which the postmaster may have outlived, and where a standby was promoted, which was there long
    -- before: when that was is not known, but that it was before this.
    DELETE FROM ${schema}.epoch;
    INSERT INTO ${schema}.epoch
    VALUES (gen_random_uuid(), start, CASE WHEN now.id IS NULL THEN clock_timestamp() ELSE start END)
    RETURNING * INTO now;
  END IF;
  PERFORM ${schema}.sweep(now);
  SELECT coalesce(max(extract(epoch FROM now.since + s.ttl - clock_timestamp())) * 1000, 0) INTO grace
  FROM ${schema}.session s WHERE s.epoch <> now.id;
  INSERT INTO ${schema}.session VALUES (number, pg_backend_pid(), now.id, ttl, namespace, client, owner);
END
$$;

-- Ends the session: frees and removes all that it has, and wakes whoever waits for any of that. It takes no turns, which it
-- might need thousands of, so it does not know who is next. "fast": the keys of those of its locks that have no row.
CREATE OR REPLACE FUNCTION ${schema}.leave(self int, fast bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  keys bigint[];
BEGIN
  WITH gone AS (DELETE FROM ${schema}.entry e WHERE e.session = self RETURNING e.key)
  SELECT array_agg(g.key) INTO keys FROM gone g;
  DELETE FROM ${schema}.session s WHERE s.number = self;
  PERFORM pg_advisory_unlock_all();
  -- By a statement of its own, after the locks are free: see free().
  PERFORM pg_notify('locks_' || w.session, w.key::text) FROM (
    SELECT DISTINCT e.session, e.key FROM ${schema}.entry e WHERE e.key = ANY (keys || fast) AND NOT e.holds
  ) w;
  PERFORM ${schema}.sweep(e) FROM ${schema}.epoch e;
END
$$;
`

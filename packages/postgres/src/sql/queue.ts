import type { Space } from './script.ts'

/**
 * The queue of a name, as the function `granted` of core's `queue.ts` decides it. Only a session itself can take an advisory
 * lock, so nobody is granted by another: whoever makes room wakes those who can have it.
 */
export const queue = ({ schema }: Space): string => `
-- Grants those of this session that can be granted, and wakes those of others if there is new room ("loud"). "held": the
-- session has an exclusive lock on the name, which would not refuse the session itself, and may have no row.
CREATE OR REPLACE FUNCTION ${schema}.settle(self int, k bigint, n text, held boolean, loud boolean)
RETURNS TABLE (granted text, number bigint) LANGUAGE plpgsql AS $$
DECLARE
  r ${schema}.entry;
  alive int[] := ARRAY[self];
  nobody boolean := NOT held;
  exclusive boolean := held;
  taken bigint := 0;
BEGIN
  FOR r IN SELECT * FROM ${schema}.entry e WHERE e.key = k AND e.name = n ORDER BY e.place LOOP
    IF r.session <> ALL (alive) THEN
      IF ${schema}.dead(r.session) THEN
        DELETE FROM ${schema}.entry e WHERE e.key = k AND e.place = r.place;
        loud := true;
        CONTINUE;
      END IF;
      alive := alive || r.session;
    END IF;
    EXIT WHEN NOT CASE r.mode
      WHEN 'e' THEN nobody WHEN 's' THEN NOT exclusive ELSE NOT exclusive AND taken + r.weight <= r.permits END;
    nobody := false;
    exclusive := r.mode = 'e';
    taken := taken + r.weight;
    CONTINUE WHEN r.holds;
    IF r.session <> self THEN
      IF loud THEN
        PERFORM pg_notify('locks_' || r.session, k::text);
      END IF;
    ELSE
      -- Somebody has the lock who has no row, and will wake this session when he frees it; or it is the lock of a dead
      -- session on its way out.
      EXIT WHEN NOT CASE r.mode WHEN 'e' THEN pg_try_advisory_lock(k) ELSE pg_try_advisory_lock_shared(k) END;
      granted := r.id;
      number := nextval('${schema}.token');
      UPDATE ${schema}.entry e SET holds = true, token = number, since = clock_timestamp()
      WHERE e.key = k AND e.place = r.place;
      RETURN NEXT;
    END IF;
  END LOOP;
END
$$;

-- Wakes whoever can have what has become free under a key, whatever the names are that share it.
CREATE OR REPLACE FUNCTION ${schema}.freed(self int, k bigint) RETURNS TABLE (granted text, number bigint)
LANGUAGE plpgsql AS $$
DECLARE
  n text;
BEGIN
  IF EXISTS (SELECT FROM ${schema}.entry e WHERE e.key = k) THEN
    PERFORM ${schema}.turn(k);
    FOR n IN SELECT DISTINCT e.name FROM ${schema}.entry e WHERE e.key = k LOOP
      RETURN QUERY SELECT * FROM ${schema}.settle(self, k, n, false, true);
    END LOOP;
  END IF;
END
$$;

-- Frees an exclusive lock that has no row. Whether anybody waits is looked up after that, by a statement of its own:
-- whoever came in between has either met the free lock, or is seen here, or looks again after his commit. Answers with
-- nothing, or with id and token of each that was granted, or with an empty array where there was no lock: a function of one
-- value costs less than one of rows.
CREATE OR REPLACE FUNCTION ${schema}.free(self int, k bigint) RETURNS text[] LANGUAGE plpgsql AS $$
BEGIN
  IF NOT pg_advisory_unlock(k) THEN
    RETURN '{}';
  ELSIF EXISTS (SELECT FROM ${schema}.entry e WHERE e.key = k) THEN
    RETURN (SELECT array_agg(f.granted || ' ' || f.number) FROM ${schema}.freed(self, k) f);
  END IF;
  RETURN NULL;
END
$$;

-- Asks for a name, in its turn. "what": g(ranted), q(ueued), n(ot), k(ind differs); "number": the token; 1 if it is to be
-- looked after at once; the limit of the semaphore that it is, or 0.
CREATE OR REPLACE FUNCTION ${schema}.acquire(
  self int, k bigint, n text, claim text, m "char", p int, w int, wait boolean, held boolean, v text,
  OUT what text, OUT number bigint
) LANGUAGE plpgsql AS $$
DECLARE
  r ${schema}.entry;
  alive int[] := ARRAY[self];
  first boolean := true;
  admitted boolean := NOT held;
  taken bigint := w;
BEGIN
  PERFORM ${schema}.turn(k);
  number := 0;
  FOR r IN SELECT * FROM ${schema}.entry e WHERE e.key = k AND e.name = n ORDER BY e.place LOOP
    IF r.session <> ALL (alive) THEN
      IF ${schema}.dead(r.session) THEN
        DELETE FROM ${schema}.entry e WHERE e.key = k AND e.place = r.place;
        CONTINUE;
      END IF;
      alive := alive || r.session;
    END IF;
    IF first AND ((r.mode = 'p') <> (m = 'p') OR m = 'p' AND r.permits <> p) THEN
      what := 'k';
      number := CASE WHEN r.mode = 'p' THEN r.permits ELSE 0 END;
      RETURN;
    END IF;
    first := false;
    taken := taken + r.weight;
    admitted := admitted AND r.holds AND CASE m WHEN 'e' THEN false WHEN 's' THEN r.mode = 's' ELSE taken <= p END;
    EXIT WHEN NOT admitted;
  END LOOP;
  IF (CASE
    WHEN NOT admitted THEN false
    WHEN m = 'e' THEN pg_try_advisory_lock(k)
    ELSE pg_try_advisory_lock_shared(k) END)
  THEN
    what := 'g';
    number := nextval('${schema}.token');
  ELSIF m = 'p' AND first THEN
    -- Permits and readers share the lock: whoever refuses them has it exclusively.
    what := 'k';
    RETURN;
  ELSIF wait THEN
    what := 'q';
    number := admitted::int;
  ELSE
    what := 'n';
    RETURN;
  END IF;
  INSERT INTO ${schema}.entry
  SELECT k, coalesce(max(e.place), 0) + 1, n, self, claim, m, p, w, what = 'g',
    CASE what WHEN 'g' THEN number END, clock_timestamp(), v
  FROM ${schema}.entry e WHERE e.key = k;
END
$$;

-- The same for an exclusive lock without a value, in one word: the letter and the number.
CREATE OR REPLACE FUNCTION ${schema}.ask(self int, k bigint, n text, claim text, wait boolean) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT a.what || a.number FROM ${schema}.acquire(self, k, n, claim, 'e', 1, 1, wait, false, NULL) a);
END
$$;

-- Removes an entry with what it holds, and lets others in.
CREATE OR REPLACE FUNCTION ${schema}.remove(self int, k bigint, n text, claim text, held boolean)
RETURNS TABLE (granted text, number bigint) LANGUAGE plpgsql AS $$
DECLARE
  r ${schema}.entry;
BEGIN
  PERFORM ${schema}.turn(k);
  DELETE FROM ${schema}.entry e WHERE e.key = k AND e.name = n AND e.session = self AND e.id = claim RETURNING * INTO r;
  IF r.id IS NULL THEN
    number := 0;
    RETURN NEXT;
  ELSIF r.holds THEN
    PERFORM CASE r.mode WHEN 'e' THEN pg_advisory_unlock(k) ELSE pg_advisory_unlock_shared(k) END;
  END IF;
  RETURN QUERY SELECT * FROM ${schema}.settle(self, k, n, held, true);
END
$$;

-- Gives a lock that has been held for a while its row, ahead of all who wait.
CREATE OR REPLACE FUNCTION ${schema}.register(self int, k bigint, n text, claim text, ms int, number bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM ${schema}.turn(k);
  INSERT INTO ${schema}.entry
  SELECT k, coalesce(min(e.place), 1) - 1, n, self, claim, 'e', 1, 1, true, number, clock_timestamp() - ms * interval '1 ms'
  FROM ${schema}.entry e WHERE e.key = k;
END
$$;

-- Frees all that this connection has of some keys, however often it was taken; answers with those of the others that it
-- has not. For use after a failure: statements that are undone keep the advisory locks that they took.
CREATE OR REPLACE FUNCTION ${schema}.reconcile(unwanted bigint[], wanted bigint[]) RETURNS SETOF bigint
LANGUAGE plpgsql AS $$
DECLARE
  k bigint;
  m text;
BEGIN
  LOOP
    FOR k, m IN
      SELECT (l.classid::bigint << 32) | l.objid::bigint, l.mode FROM pg_locks l
      WHERE l.locktype = 'advisory' AND l.pid = pg_backend_pid() AND l.objsubid = 1
        AND (l.classid::bigint << 32) | l.objid::bigint = ANY (unwanted)
    LOOP
      PERFORM CASE m WHEN 'ExclusiveLock' THEN pg_advisory_unlock(k) ELSE pg_advisory_unlock_shared(k) END;
    END LOOP;
    EXIT WHEN NOT FOUND;
  END LOOP;
  RETURN QUERY SELECT unnest(wanted) EXCEPT
    SELECT (l.classid::bigint << 32) | l.objid::bigint FROM pg_locks l
    WHERE l.locktype = 'advisory' AND l.pid = pg_backend_pid() AND l.objsubid = 1;
END
$$;
`

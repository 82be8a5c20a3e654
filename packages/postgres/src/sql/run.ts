import type { Space } from './script.ts'

/** All that a session wants at one time, in one statement. */
export const run = ({ schema }: Space): string => `
-- "ops", in the order of their keys: a(cquire; flags: 1 waits, 2 held, 4 maybe without a row), f(ree what has no row),
-- r(emove; 2 held), c(laim; 2 held), g(ive a row). "what": as acquire says, d(one), x (it was not there).
-- "vals" is empty where no claim has a value.
CREATE OR REPLACE FUNCTION ${schema}.run(
  self int, ops text[], keys bigint[], names text[], ids text[], modes text[], permits int[], weights int[], flags int[],
  tokens bigint[], vals text[]
) RETURNS TABLE (at int, what text, id text, number bigint) LANGUAGE plpgsql AS $$
DECLARE
  k bigint;
  held boolean;
  f text[];
  g record;
BEGIN
  FOR i IN 1 .. cardinality(ops) LOOP
    at := i - 1;
    k := keys[i];
    held := flags[i] & 2 > 0;
    IF ops[i] = 'a' THEN
      -- In this order: a lock must not be taken from those who wait.
      IF (CASE WHEN flags[i] & 4 = 0 OR EXISTS (SELECT FROM ${schema}.entry e WHERE e.key = k) THEN false
        ELSE pg_try_advisory_lock(k) END)
      THEN
        what := 'f';
        number := nextval('${schema}.token');
      ELSE
        SELECT a.what, a.number INTO what, number FROM ${schema}.acquire(
          self, k, names[i], ids[i], modes[i]::"char", permits[i], weights[i], flags[i] & 1 > 0, held, vals[i]) a;
      END IF;
      id := ids[i];
      RETURN NEXT;
    ELSIF ops[i] = 'c' THEN
      PERFORM ${schema}.turn(k);
      RETURN QUERY SELECT i - 1, 'g', s.granted, s.number FROM ${schema}.settle(self, k, names[i], held, false) s;
    ELSIF ops[i] = 'g' THEN
      PERFORM ${schema}.register(self, k, names[i], ids[i], weights[i], tokens[i]);
    ELSIF ops[i] = 'f' THEN
      f := ${schema}.free(self, k);
      RETURN QUERY SELECT i - 1, 'g', split_part(e, ' ', 1), split_part(e, ' ', 2)::bigint FROM unnest(f) e;
      what := CASE WHEN f = '{}' THEN 'x' ELSE 'd' END;
      id := ids[i];
      number := 0;
      RETURN NEXT;
    ELSE
      what := 'd';
      FOR g IN SELECT * FROM ${schema}.remove(self, k, names[i], ids[i], held) LOOP
        IF g.granted IS NULL THEN
          what := 'x';
        ELSE
          RETURN QUERY SELECT i - 1, 'g', g.granted, g.number;
        END IF;
      END LOOP;
      id := ids[i];
      number := 0;
      RETURN NEXT;
    END IF;
  END LOOP;
END
$$;
`

import { createHash } from 'node:crypto'
import { elections } from './elections.ts'
import { queue } from './queue.ts'
import { run } from './run.ts'
import { sessions } from './sessions.ts'
import { tables } from './tables.ts'

/** Raised with every change of what follows: sessions of two versions must not share a queue. */
export const version = 3

/** What the script is written for. */
export interface Space {
  /** Quoted. */
  readonly schema: string
  /** Of the advisory locks with two keys: one by which a session is known to be alive, one to decide about a key. */
  readonly sessionClass: number
  readonly mutexClass: number
}

/** Advisory locks belong to a whole database, so each schema has a part of them that is its own. */
export function spaceOf(schema: string): Space {
  const digest = createHash('sha256').update(`@locks/postgres ${schema}`).digest()
  return { schema: `"${schema}"`, sessionClass: digest.readInt32BE(0), mutexClass: digest.readInt32BE(4) }
}

/** Makes everything that is missing, in one transaction; harmless where it is there, and refused by another version. */
export function schemaScript(schema: string): string {
  const space = spaceOf(schema)
  const known = `${space.schema}.version()`
  return `
BEGIN;
-- Two that make the same thing at the same time would fail.
SELECT pg_catalog.pg_advisory_xact_lock(${space.sessionClass}, -1);
-- Tables that are there stay as they are.
DO $$
BEGIN
  IF to_regprocedure('${known}') IS NOT NULL THEN
    IF ${known} <> ${version} THEN
      RAISE EXCEPTION 'this schema is of another version of @locks/postgres: give version ${version} a schema of its own';
    END IF;
  END IF;
END
$$;
${tables(space.schema)}${sessions(space)}${queue(space)}${run(space)}${elections(space)}
CREATE OR REPLACE FUNCTION ${known} RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT ${version}';
COMMIT;
`
}

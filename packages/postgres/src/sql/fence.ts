import { invalid, shown } from '@locks/core/backend'

/** The constraint that is in the way of whoever comes too late. */
export const newerHolder = 'no_newer_holder'

/**
 * The table of a {@link PostgresGuard}, made if it is missing. Its rule is a constraint, and no trigger: whoever comes
 * writes a token into the row of its resource, and an exclusive one must be the newest, a shared one at least the
 * newest exclusive one. Numbers have no limit, since tokens of ZooKeeper may have more than 64 bits.
 */
export function fenceTable(table = 'fence'): string {
  return `
CREATE TABLE IF NOT EXISTS ${tableNamed(table)} (
  resource text PRIMARY KEY,
  token numeric NOT NULL,
  mode text NOT NULL,
  newest numeric NOT NULL,
  exclusive numeric NOT NULL,
  CONSTRAINT ${newerHolder} CHECK (token >= CASE mode WHEN 'exclusive' THEN newest ELSE exclusive END)
) WITH (fillfactor = 50);
`
}

/**
 * A row is written in any case, and so locked until the transaction ends: whoever comes next waits, and under READ
 * COMMITTED the update then sees what has been committed meanwhile.
 */
export const enter = (table: string): string => `
INSERT INTO ${table} AS seen (resource, token, mode, newest, exclusive)
VALUES ($1, $2::numeric, $3, $2::numeric, CASE $3 WHEN 'exclusive' THEN $2::numeric ELSE 0 END)
ON CONFLICT (resource) DO UPDATE SET
  token = EXCLUDED.token,
  mode = EXCLUDED.mode,
  newest = GREATEST(seen.newest, EXCLUDED.newest),
  exclusive = GREATEST(seen.exclusive, EXCLUDED.exclusive)`

/** Quoted, with its schema where it has one. */
export function tableNamed(table: string): string {
  if (typeof table === 'string' && /^([a-z_][a-z0-9_]{0,62}\.)?[a-z_][a-z0-9_]{0,62}$/.test(table)) {
    return table
      .split('.')
      .map((part) => `"${part}"`)
      .join('.')
  }
  const allowed = "lower-case letters, digits and underscores, perhaps behind a schema's and a dot"
  throw invalid(`a table's name is ${allowed}; got ${shown(table)}`)
}

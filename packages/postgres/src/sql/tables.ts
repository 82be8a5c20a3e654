/**
 * The tables, for a schema and its own space of advisory locks. `entry` is the queue: whoever waits, and whoever holds
 * but for an exclusive lock that was granted within the last moments. It is unlogged: after a crash nobody holds anything.
 */
export const tables = (schema: string): string => `
CREATE SCHEMA IF NOT EXISTS ${schema};

-- One a session that may still believe in its locks. Logged: it has to outlive a crash, to say how long grants wait then.
CREATE TABLE IF NOT EXISTS ${schema}.session (
  number int PRIMARY KEY,
  pid int NOT NULL,
  epoch uuid NOT NULL,
  ttl interval NOT NULL,
  namespace text NOT NULL,
  client text NOT NULL,
  owner text NOT NULL
);

-- One row: from when on the server has forgotten no advisory lock. A crash empties it, also one that the postmaster survives.
CREATE UNLOGGED TABLE IF NOT EXISTS ${schema}.epoch (
  id uuid NOT NULL,
  started timestamptz NOT NULL,
  since timestamptz NOT NULL
);

CREATE UNLOGGED TABLE IF NOT EXISTS ${schema}.entry (
  key bigint NOT NULL,
  place bigint NOT NULL,
  name text NOT NULL,
  session int NOT NULL,
  id text NOT NULL,
  mode "char" NOT NULL,
  permits bigint NOT NULL,
  weight bigint NOT NULL,
  holds boolean NOT NULL,
  token bigint,
  since timestamptz NOT NULL,
  value text,
  PRIMARY KEY (key, place)
) WITH (
  fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX IF NOT EXISTS entry_session ON ${schema}.entry (session);

CREATE SEQUENCE IF NOT EXISTS ${schema}.session_number AS int CYCLE;
-- A larger CACHE would hand out ranges, and later grants lower tokens than earlier ones.
CREATE SEQUENCE IF NOT EXISTS ${schema}.token INCREMENT 1024 CACHE 1;
`

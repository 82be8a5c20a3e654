import type { PostgresServer } from '@locks/testkit'

export * from '@locks/testkit/fixtures'

/** The module with the adapter, for other processes. */
export const adapterModule: string = new URL('../src/index.ts', import.meta.url).href

/** What a server has of anybody: nothing, once everybody has left. */
export interface Left {
  readonly locks: number
  readonly entries: number
  readonly sessions: number
  readonly connections: number
}

export const nothing: Left = { locks: 0, entries: 0, sessions: 0, connections: 0 }

/** Advisory locks and clients of the whole server, and the rows of a schema. */
export async function leftAt(server: PostgresServer, schema = 'locks'): Promise<Left> {
  const rows = await server.psql(
    `SELECT (SELECT count(*) FROM ${schema}.entry), (SELECT count(*) FROM ${schema}.session)`,
  )
  const [entries = '', sessions = ''] = rows.split('|')
  return {
    locks: await server.advisoryLocks(),
    entries: Number(entries),
    sessions: Number(sessions),
    connections: await server.sessions(),
  }
}

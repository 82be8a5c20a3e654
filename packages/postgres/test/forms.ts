import type { Backend } from '@locks/core/backend'
import { adapter, schemaScript } from '@locks/postgres'
import { startPostgres, type PostgresServer } from '@locks/testkit'
import { Client } from 'pg'
import { leastPrivilege } from './role.ts'

/** A server with a way to its locks. */
export interface Form {
  readonly backend: 'postgres' | 'postgres-reduced'
  readonly url: string
  readonly port: number
  open(): Backend
  /** A backend that reaches the server by another port. */
  openThrough(port: number): Backend
  /** A client that may do everything, in the same database. */
  readonly admin: Client
  /** Asks for the processes that hold the locks of some clients. */
  readonly pids: string
  end(): Promise<void>
}

/** As it is deployed: the schema made ahead of time by its owner, and used by a role that may do nothing else. */
export async function leastPrivileged(): Promise<Form> {
  const server = await startPostgres()
  const admin = await adminOf(server)
  await admin.query(schemaScript('locks'))
  await admin.query(`CREATE ROLE app LOGIN PASSWORD 'of-the-app'; ${leastPrivilege('app')}`)
  const pids = 'SELECT pid FROM locks.session WHERE client = ANY ($1)'
  return formOf('postgres', server, admin, pids, '')
}

/** By a role that may only connect. */
export async function reduced(): Promise<Form> {
  const server = await startPostgres()
  const admin = await adminOf(server)
  await admin.query(`CREATE ROLE app LOGIN PASSWORD 'of-the-app'`)
  const pids = `SELECT pid FROM pg_stat_activity WHERE split_part(application_name, ' ', 2) = ANY ($1)`
  // The server has only just been started, and nobody has held anything on it.
  return formOf('postgres-reduced', server, admin, pids, '?schema=none&restartGrace=false')
}

async function adminOf(server: PostgresServer): Promise<Client> {
  const admin = new Client(server.url)
  admin.on('error', () => {})
  await admin.connect()
  return admin
}

function formOf(backend: Form['backend'], server: PostgresServer, admin: Client, pids: string, query: string): Form {
  const urlOf = (port: number) => `postgres://app:of-the-app@127.0.0.1:${port}/postgres${query}`
  const url = urlOf(server.port)
  return {
    backend,
    url,
    port: server.port,
    open: () => adapter.fromUrl(url),
    openThrough: (port) => adapter.fromUrl(urlOf(port)),
    admin,
    pids,
    async end() {
      await admin.end()
      await server.end()
    },
  }
}

import type { Backend } from '@locks/core/backend'
import { adapter, schemaScript } from '@locks/postgres'
import { startPostgres, type PostgresServer } from '@locks/testkit'
import { Client } from 'pg'
import { leastPrivilege } from './role.ts'

/** A server with a way to its locks. */
export interface Form {
  readonly backend: 'postgres'
  readonly url: string
  readonly port: number
  open(): Backend
  /** A backend that reaches the server by another port. */
  openThrough(port: number): Backend
  /** A client that may do everything, in the same database. */
  readonly admin: Client
  end(): Promise<void>
}

/** As it is deployed: the schema made ahead of time by its owner, and used by a role that may do nothing else. */
export async function leastPrivileged(): Promise<Form> {
  const server = await startPostgres()
  const admin = await adminOf(server)
  await admin.query(schemaScript('locks'))
  await admin.query(`CREATE ROLE app LOGIN PASSWORD 'of-the-app'; ${leastPrivilege('app')}`)
  return formOf(server, admin, (port) => `postgres://app:of-the-app@127.0.0.1:${port}/postgres`)
}

async function adminOf(server: PostgresServer): Promise<Client> {
  const admin = new Client(server.url)
  admin.on('error', () => {})
  await admin.connect()
  return admin
}

function formOf(server: PostgresServer, admin: Client, urlOf: (port: number) => string): Form {
  const url = urlOf(server.port)
  return {
    backend: 'postgres',
    url,
    port: server.port,
    open: () => adapter.fromUrl(url),
    openThrough: (port) => adapter.fromUrl(urlOf(port)),
    admin,
    async end() {
      await admin.end()
      await server.end()
    },
  }
}

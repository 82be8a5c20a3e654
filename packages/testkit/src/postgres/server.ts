import { execFile } from 'node:child_process'
import process from 'node:process'
import { promisify } from 'node:util'
import type { Certificates } from '../certificates.ts'
import type { NetworkHost } from '../network/link.ts'
import { freePort } from '../ports.ts'
import { Server } from '../server.ts'
import { unprivileged } from '../unprivileged.ts'
import { commonSettings, initialise, postgresFolder, programBeside, tlsSettings, type Settings } from './data.ts'

export interface PostgresOptions {
  /** Further settings, as `postgresql.conf` has them. */
  readonly settings?: Settings
  /** Refuses TCP connections without TLS. */
  readonly tls?: Certificates
  readonly port?: number
  /** Where it listens; on 127.0.0.1 of this machine if nothing is said. */
  readonly at?: NetworkHost
}

/** Who asks, and where; the superuser in the database `postgres` if nothing else is said. */
export interface Login {
  readonly user?: string
  readonly password?: string
  readonly database?: string
}

interface Place {
  /** Has the database in `data`, and gets the server's Unix socket. */
  readonly folder: string
  readonly port: number
  readonly settings: Settings
  readonly at?: NetworkHost | undefined
}

export class PostgresServer extends Server {
  readonly host: string
  readonly port: number
  readonly settings: Settings

  constructor({ folder, port, settings, at }: Place) {
    const host = at?.address ?? '127.0.0.1'
    const all = { ...commonSettings, listen_addresses: host, unix_socket_directories: folder, ...settings }
    super({
      executable: 'postgres',
      args: [
        '-D',
        'data',
        '-p',
        String(port),
        ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      by: unprivileged(at),
      folder,
      ready: /database system is ready to accept (read.only )?connections/,
      // It has a segment of shared memory, by which it finds out whether processes of an earlier start still run.
      quit: 'SIGQUIT',
    })
    this.host = host
    this.port = port
    this.settings = settings
  }

  get url(): string {
    return this.urlOf({})
  }

  urlOf({ user = 'postgres', password, database = 'postgres' }: Login): string {
    const secret = password === undefined ? '' : `:${encodeURIComponent(password)}`
    return `postgres://${encodeURIComponent(user)}${secret}@${this.host}:${this.port}/${encodeURIComponent(database)}`
  }

  /**
   * What `psql` prints for a statement, over the server's Unix socket: a line a row, `|` between columns. An error is
   * thrown. Gives up on a server that does not answer for 10 s.
   */
  async psql(statement: string, { user = 'postgres', password, database = 'postgres' }: Login = {}): Promise<string> {
    const where = ['-h', this.folder, '-p', String(this.port), '-U', user, '-d', database, '-w']
    const how = ['-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1']
    const { stdout } = await promisify(execFile)(programBeside('psql'), [...where, ...how, '-c', statement], {
      env: { ...process.env, PGPASSWORD: password },
      timeout: 10_000,
    })
    return stdout.trimEnd()
  }

  /** How many advisory locks sessions have or wait for, in all databases. */
  async advisoryLocks(): Promise<number> {
    return Number(await this.psql(`SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'`))
  }

  /** How many clients are connected, this question's own aside. */
  async sessions(): Promise<number> {
    const others = `backend_type = 'client backend' AND pid <> pg_backend_pid()`
    return Number(await this.psql(`SELECT count(*) FROM pg_stat_activity WHERE ${others}`))
  }
}

export async function startPostgres({ settings, tls, port, at }: PostgresOptions = {}): Promise<PostgresServer> {
  const folder = await postgresFolder()
  await initialise(folder, tls)
  const server = new PostgresServer({
    folder,
    at,
    port: port ?? (await freePort()),
    settings: { ...(tls && (await tlsSettings(folder, tls))), ...settings },
  })
  await server.start()
  return server
}

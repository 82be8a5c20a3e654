import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { keeper } from '../keeper/keeper.ts'
import { freePort } from '../ports.ts'
import { Server } from '../server.ts'
import { handOver, unprivileged } from '../unprivileged.ts'
import type { PostgresServer } from './server.ts'

export interface PgbouncerOptions {
  /** For how long a client keeps a connection of the pool: `session` is as long as it is connected. */
  readonly mode: 'session' | 'transaction' | 'statement'
  /** Further settings, as `pgbouncer.ini` has them. */
  readonly settings?: Readonly<Record<string, string>>
}

/** A connection pool in front of a server. */
export class Pgbouncer extends Server {
  readonly port: number
  readonly url: string

  constructor(folder: string, port: number) {
    super({
      executable: 'pgbouncer',
      args: ['pgbouncer.ini'],
      by: unprivileged(),
      folder,
      ready: /process up: PgBouncer/i,
    })
    this.port = port
    this.url = `postgres://postgres@127.0.0.1:${port}/postgres`
  }
}

export async function startPgbouncer(
  { host, port: behind }: PostgresServer,
  { mode, settings }: PgbouncerOptions,
): Promise<Pgbouncer> {
  const [folder, port] = [await keeper().call('folder', 'pgbouncer'), await freePort()]
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: '',
    auth_type: 'trust',
    auth_file: 'users.txt',
    pool_mode: mode,
    ...settings,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`)
  const config = ['[databases]', `* = host=${host} port=${behind}`, '[pgbouncer]', ...lines, '']
  await writeFile(join(folder, 'pgbouncer.ini'), config.join('\n'))
  await writeFile(join(folder, 'users.txt'), '"postgres" ""\n')
  await handOver(folder)
  const server = new Pgbouncer(folder, port)
  await server.start()
  return server
}

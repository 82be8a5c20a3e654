import { execFile } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { chmod, copyFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Certificates } from '../certificates.ts'
import { keeper } from '../keeper/keeper.ts'
import { findRequired } from '../requirements.ts'
import { handOver, unprivileged } from '../unprivileged.ts'

/** By name, what `postgresql.conf` has after it. */
export type Settings = Readonly<Record<string, string>>

/** Of every server. */
export const commonSettings: Settings = {
  // The machine does not lose power during a test, and a process that is killed has lost nothing that it wrote.
  fsync: 'off',
  // In its folder, where nothing stays behind when it is killed.
  dynamic_shared_memory_type: 'mmap',
}

/** A program of the same installation as the server. Debian's `psql` on the path is a script that looks for it. */
export function programBeside(name: string): string {
  return join(dirname(realpathSync(findRequired('postgres'))), name)
}

/** Runs a program of Postgres as whoever its server runs as. */
export async function run(name: string, args: readonly string[], folder: string): Promise<void> {
  const [first = '', ...rest] = [...unprivileged(), programBeside(name), ...args]
  await promisify(execFile)(first, rest, { cwd: folder })
}

/** A temporary folder which belongs to whoever the server runs as. */
export async function postgresFolder(): Promise<string> {
  const folder = await keeper().call('folder', 'postgres')
  await handOver(folder)
  return folder
}

/** Fills `data` in a folder: a superuser `postgres`, who needs no password, and all others do. */
export async function initialise(folder: string, tls: Certificates | undefined): Promise<void> {
  const kind = ['-U', 'postgres', '-E', 'UTF8', '--locale=C', '--wal-segsize=1']
  await run('initdb', ['-D', 'data', '--no-sync', '--no-instructions', '-A', 'trust', ...kind], folder)
  const host = tls ? 'hostssl' : 'host'
  const access = [
    'local all postgres trust',
    'local all all scram-sha-256',
    'host replication postgres 127.0.0.1/32 trust',
    `${host} all postgres all trust`,
    `${host} all all all scram-sha-256`,
  ]
  await writeFile(join(folder, 'data', 'pg_hba.conf'), access.map((line) => `${line}\n`).join(''))
}

/** A server's own copies: it refuses a key that others can read. */
export async function tlsSettings(folder: string, { ca, cert, key }: Certificates): Promise<Settings> {
  const copy = async (path: string, name: string) => {
    const own = join(folder, name)
    await copyFile(path, own)
    await chmod(own, 0o600)
    return own
  }
  const settings = {
    ssl: 'on',
    ssl_ca_file: await copy(ca, 'ca.crt'),
    ssl_cert_file: await copy(cert, 'server.crt'),
    ssl_key_file: await copy(key, 'server.key'),
  }
  await handOver(folder)
  return settings
}

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { keeper } from '../keeper/keeper.ts'
import type { Certificates } from '../certificates.ts'

/** By name, what `redis.conf` has after it. */
export type Settings = Readonly<Record<string, string>>

/** Of every server that keeps data. */
export const dataSettings: Settings = {
  save: '',
  // A replica's first copy goes by way of a file: it starts at once, where the other way waits for a timer.
  'repl-diskless-sync': 'no',
}

export function tlsSettings({ ca, cert, key }: Certificates, port: number): Settings {
  return {
    port: '0',
    'tls-port': String(port),
    'tls-ca-cert-file': ca,
    'tls-cert-file': cert,
    'tls-key-file': key,
    'tls-auth-clients': 'no',
  }
}

/** A temporary folder with a `redis.conf`, which the server may rewrite. */
export async function redisFolder(port: number, settings: Settings, lines: readonly string[] = []): Promise<string> {
  const folder = await keeper().call('folder', 'redis')
  const all: Settings = {
    port: String(port),
    bind: '127.0.0.1',
    'protected-mode': 'no',
    daemonize: 'no',
    loglevel: 'notice',
    ...settings,
  }
  const written = Object.entries(all).map(([name, value]) => `${name} ${value || '""'}`)
  await writeFile(join(folder, 'redis.conf'), [...written, ...lines, ''].join('\n'))
  return folder
}

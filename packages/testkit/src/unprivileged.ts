import { execFile } from 'node:child_process'
import process from 'node:process'
import { promisify } from 'node:util'
import type { NetworkHost } from './network/link.ts'

/** Debian's package of Postgres makes it. */
const user = 'postgres'

const isRoot = process.getuid?.() === 0

/**
 * The command that runs another one without root's rights, which some servers refuse to have; on a host of ours if one
 * is given, where everybody looks like root who is not.
 */
export function unprivileged(host?: NetworkHost): readonly string[] {
  const there = host?.enter ?? []
  if (isRoot) return [...there, 'setpriv', `--reuid=${user}`, `--regid=${user}`, '--init-groups']
  return host ? [...there, 'unshare', '--user', '--map-user=1000', '--map-group=1000'] : []
}

/** Gives a folder, with all that is in it, to whom such a command runs as. */
export async function handOver(folder: string): Promise<void> {
  if (isRoot) await promisify(execFile)('chown', ['-R', `${user}:`, folder])
}

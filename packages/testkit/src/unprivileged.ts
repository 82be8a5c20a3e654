import { execFile } from 'node:child_process'
import process from 'node:process'
import { promisify } from 'node:util'

/** Debian's package of Postgres makes it. */
const user = 'postgres'

const isRoot = process.getuid?.() === 0

/** The command that runs another one without root's rights, which some servers refuse to have. */
export const unprivileged: readonly string[] = isRoot
  ? ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--init-groups']
  : []

/** Gives a folder, with all that is in it, to whom such a command runs as. */
export async function handOver(folder: string): Promise<void> {
  if (isRoot) await promisify(execFile)('chown', ['-R', `${user}:`, folder])
}

import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

/** Where the database is that serves without any set-up. */
export function stateFolder(env: Environment): string {
  return inUserFolder(env, env.XDG_STATE_HOME, ['.local', 'state'])
}

/** Where Node keeps what it has compiled. */
export function cacheFolder(env: Environment): string {
  return inUserFolder(env, env.XDG_CACHE_HOME, ['.cache'])
}

function inUserFolder(env: Environment, given: string | undefined, otherwise: readonly string[]): string {
  // The XDG specification has relative paths ignored.
  if (given && isAbsolute(given)) return join(given, 'locks')
  if (process.platform === 'win32' && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, 'locks')
  return join(homedir(), ...otherwise, 'locks')
}

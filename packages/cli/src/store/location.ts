import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { misuse } from '../failure.ts'
import { stateFolder } from './folders.ts'
import { hasSecret } from './secrets.ts'

export interface LocationOptions {
  readonly url?: string | undefined
  readonly urlFile?: string | undefined
}

export interface Location {
  readonly url: string
  readonly from: '--url' | '--url-file' | 'LOCKS_URL' | 'default'
}

/** Which store it is. Passwords come from a file or the environment, and from nowhere else. */
export function locate({ url, urlFile }: LocationOptions, env: NodeJS.ProcessEnv): Location {
  if (url !== undefined && urlFile !== undefined) throw misuse('--url and --url-file exclude each other')
  if (url !== undefined) {
    if (!hasSecret(url)) return { url, from: '--url' }
    throw misuse(
      'a --url with a password is refused: every user of this machine can read the arguments of a process. ' +
        'Put it into the environment variable LOCKS_URL, or into a file for --url-file',
    )
  }
  if (urlFile !== undefined) return { url: fromFile(urlFile), from: '--url-file' }
  if (env.LOCKS_URL) return { url: env.LOCKS_URL, from: 'LOCKS_URL' }
  return { url: userDatabase(env), from: 'default' }
}

function fromFile(path: string): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw misuse(`--url-file names a file that cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  if (text !== '' && !text.includes('\n')) return text
  throw misuse("--url-file names a file that must hold one line, the store's URL")
}

function userDatabase(env: NodeJS.ProcessEnv): string {
  let folder = 'of this user'
  try {
    folder = stateFolder(env)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code
    throw misuse(`the folder ${folder} cannot be made (${why}); set XDG_STATE_HOME, or name a store by --url`)
  }
  return `sqlite://${pathToFileURL(join(folder, 'locks.db')).pathname}`
}

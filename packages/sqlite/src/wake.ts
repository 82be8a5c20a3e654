import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  rmSync,
  watch,
  writeFileSync,
  type FSWatcher,
  type Stats,
} from 'node:fs'
import { join } from 'node:path'

/**
 * The folder beside the database with a file for every session that waits, and for every name that a session watches:
 * whoever grants it something, or changes who leads, writes to the file after the commit. A lost wake-up costs a poll's
 * delay, so nothing that fails here is an error.
 */
export class WakeFolder {
  readonly #folder: string
  readonly #database: Stats

  /** `path` and status of the database, whose owner and permissions the files get. */
  constructor(path: string, database: Stats) {
    this.#folder = `${path}-wake`
    this.#database = database
  }

  wake(session: number): void {
    touch(this.#file(session))
  }

  /** Wakes all who watch this name. */
  announce(name: string): void {
    const ending = endingOf(name)
    for (const file of this.#list()) if (file.endsWith(ending)) touch(join(this.#folder, file))
  }

  /** Removes the files of sessions that have nothing in the database. */
  sweep(isLive: (session: number) => boolean): void {
    for (const file of this.#list()) {
      const [session] = /^\d+(?=\.|$)/.exec(file) ?? []
      if (session !== undefined && !isLive(Number(session))) remove(join(this.#folder, file))
    }
  }

  discard(session: number, name?: string): void {
    remove(this.#file(session, name))
  }

  /** Makes the session's file, for its grants or for a name, and watches it; throws where that is not possible. */
  watch(session: number, onWake: () => void, onEnd: (error?: unknown) => void, name?: string): FSWatcher {
    const file = this.#file(session, name)
    this.#make(() => writeFileSync(file, ''))
    this.#imitate(file, 0o666)
    const watcher = watch(file, { persistent: false })
    // A rename is the file's end: somebody took this session for dead.
    watcher.on('change', (event) => (event === 'rename' ? onEnd() : onWake()))
    watcher.on('error', onEnd)
    return watcher
  }

  #make(file: () => void): void {
    try {
      file()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      if (mkdirSync(this.#folder, { recursive: true })) this.#imitate(this.#folder, 0o777)
      file()
    }
  }

  /** Whoever may write the database must be able to wake and to clean up. */
  #imitate(path: string, most: number): void {
    const { mode, uid, gid } = this.#database
    const enter = (mode & 0o444) >> 2
    chmodSync(path, (mode | enter) & most)
    if (process.getuid?.() === 0) chownSync(path, uid, gid)
  }

  #list(): string[] {
    try {
      return readdirSync(this.#folder)
    } catch {
      return []
    }
  }

  #file(session: number, name?: string): string {
    return join(this.#folder, name === undefined ? String(session) : `${session}${endingOf(name)}`)
  }
}

/** Of any length and with any letters, a name is a file's in no file system. */
const endingOf = (name: string): string => `.${createHash('sha256').update(name).digest('hex').slice(0, 32)}`

function touch(file: string): void {
  try {
    // A write and no change of times, which another user's file would not allow. It makes no file.
    writeFileSync(file, '!', { flag: 'r+' })
  } catch {
    // Nobody watches it.
  }
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true })
  } catch {
    // It belongs to another user, who will remove it.
  }
}

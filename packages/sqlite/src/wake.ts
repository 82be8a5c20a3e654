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
 * The folder beside the database with a file for every session that waits: whoever grants it something writes to the
 * file after the commit. A lost wake-up costs a poll's delay, so nothing that fails here is an error.
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
    try {
      // A write and no change of times, which another user's file would not allow. It makes no file.
      writeFileSync(this.#file(session), '!', { flag: 'r+' })
    } catch {
      // It does not watch.
    }
  }

  /** Removes the files of sessions that have nothing in the database. */
  sweep(isLive: (session: number) => boolean): void {
    for (const name of this.#list()) {
      if (/^\d+$/.test(name) && !isLive(Number(name))) this.discard(Number(name))
    }
  }

  discard(session: number): void {
    try {
      rmSync(this.#file(session), { force: true })
    } catch {
      // It belongs to another user, who will remove it.
    }
  }

  /** Makes the session's file and watches it; throws where that is not possible. */
  watch(session: number, onWake: () => void, onEnd: (error?: unknown) => void): FSWatcher {
    const file = this.#file(session)
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

  #file(session: number): string {
    return join(this.#folder, String(session))
  }
}

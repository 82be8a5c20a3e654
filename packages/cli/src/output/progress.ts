import { subscribe } from 'node:diagnostics_channel'
import type { LockEvents, LockInfo, LockManager } from '@locks/core'
import { span } from '../durations.ts'
import { printable, visible } from './escape.ts'

/** Milliseconds between two looks, and for which one of them may take. */
const every = 1_000
const patience = 2_000

/** One line on the terminal about what is waited for, rewritten while it changes. Nothing where there is no terminal. */
export class Progress {
  readonly #locks: LockManager
  readonly #terminal: NodeJS.WriteStream | undefined
  #clientId = ''
  #timer: NodeJS.Timeout | undefined
  /** Empty: nothing is waited for. */
  #names: readonly string[] = []
  #shown = false

  constructor(locks: LockManager, quiet = false) {
    this.#locks = locks
    this.#terminal = !quiet && process.stderr.isTTY && process.env.TERM !== 'dumb' ? process.stderr : undefined
    if (!this.#terminal) return
    subscribe('locks:request', (message) => {
      this.#clientId = (message as LockEvents['locks:request']).attempt.clientId
    })
    subscribe('locks:queued', () => {
      if (this.#names.length > 0) void this.#look()
    })
  }

  /** Shows something from the moment that there is a wait. */
  async during<T>(names: readonly string[], wait: () => Promise<T>): Promise<T> {
    this.#names = names
    try {
      return await wait()
    } finally {
      this.#names = []
      clearTimeout(this.#timer)
      if (this.#shown) this.#terminal?.write('\r\u001B[K')
      this.#shown = false
    }
  }

  async #look(): Promise<void> {
    const line = await this.#line()
    if (this.#names.length === 0) return
    this.#show(line)
    // Of several names each is queued, and begins to look.
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#look(), every)
  }

  async #line(): Promise<string> {
    const names = this.#names.map(visible).join(', ')
    try {
      for (const name of this.#names) {
        const { held, pending } = await within(patience, this.#locks.query(name))
        const place = pending.findIndex(({ clientId }) => clientId === this.#clientId)
        if (place >= 0) return `waiting for ${visible(name)}, ${placeOf(place, pending.length)}; ${holdersOf(held)}`
      }
      return `waiting for ${names}`
    } catch {
      return `waiting for ${names}; the store does not answer`
    }
  }

  #show(line: string): void {
    const width = (this.#terminal?.columns || 80) - 1
    this.#terminal?.write(`\r${printable(`locks: ${line}`).slice(0, width)}\u001B[K`)
    this.#shown = true
  }
}

const placeOf = (place: number, of: number): string => `place ${place + 1} of ${of} in the queue`

function holdersOf(held: readonly LockInfo[]): string {
  const [first, ...more] = held
  if (!first) return 'nobody holds it'
  const since = first.since === undefined ? '' : ` for ${span(Date.now() - first.since)}`
  const others = more.length === 0 ? '' : ` and ${more.length} more`
  return `held by ${visible(first.owner)}${since}${others}`
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error('late')), ms)
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

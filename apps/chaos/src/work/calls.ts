import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe } from 'node:diagnostics_channel'
import { LockError, type LockEvents } from '@locks/core'
import { now } from '../now.ts'
import type { Acquire } from '../records.ts'
import { semaphore } from '../names.ts'
import type { Act } from './acts.ts'

/** Since when a call has its place at the store, by its client's session. */
interface Note {
  clientId?: string
  queued?: number
}

/** Calls that run, by the attempts that core makes of them, to learn when they wait at the store. */
const context = new AsyncLocalStorage<Map<string, Note>>()
const notes = new WeakMap<object, Note>()
const running = new Set<Note>()

subscribe('locks:request', (message) => {
  const { attempt } = message as LockEvents['locks:request']
  // Of several names it is not said for which one it waits.
  const [name, ...more] = attempt.names
  const note = more.length === 0 ? context.getStore()?.get(name as string) : undefined
  if (note) notes.set(attempt, note)
})
subscribe('locks:queued', (message) => {
  const { attempt } = message as LockEvents['locks:queued']
  const note = notes.get(attempt)
  if (note) Object.assign(note, { queued: now(), clientId: attempt.clientId })
})
subscribe('locks:session', (message) => {
  const { clientId, state } = message as LockEvents['locks:session']
  if (state !== 'ended') return
  // Its places are lost. Whoever asks anew may be granted at once, and has then waited nowhere.
  for (const note of running) if (note.clientId === clientId) delete note.queued
})

/** A call about one or several names: what is recorded of it before and after. */
export class Calls {
  readonly begun: readonly Acquire[]
  readonly #notes = new Map<string, Note>()

  constructor(act: Act, client: string, id: () => number, { probe = false, inLine = false } = {}) {
    const { kind, names, mode, weight, steal, tries } = act
    const invoked = now()
    this.begun = names.map((name) => ({
      id: id(),
      action: 'acquire',
      client,
      name,
      mode,
      ...(mode === 'permit' && { permits: semaphore.permits, weight }),
      ...(steal && { steal }),
      ...(kind === 'lead' && { elects: true }),
      ...(probe && { probe }),
      ...(inLine && { inLine }),
      wait: !tries,
      invoked,
      completed: null,
      outcome: 'unknown',
    }))
    for (const name of names) {
      const note: Note = {}
      this.#notes.set(name, note)
      running.add(note)
    }
  }

  run<T>(call: () => Promise<T>): Promise<T> {
    return context.run(this.#notes, call)
  }

  granted(tokenOf: (name: string) => bigint): Acquire[] {
    return this.#ended((each) => ({ ...each, outcome: 'ok', token: String(tokenOf(each.name)) }))
  }

  /** Null: refused. */
  failed(error: unknown): Acquire[] {
    const { outcome, why } = error === null ? { outcome: 'failed' as const, why: 'refused' } : outcomeOf(error)
    return this.#ended((each) => ({ ...each, outcome, why }))
  }

  #ended(change: (call: Acquire) => Acquire): Acquire[] {
    const completed = now()
    for (const note of this.#notes.values()) running.delete(note)
    return this.begun.map((each) => {
      const { queued } = this.#notes.get(each.name) ?? {}
      return { ...change(each), completed, ...(queued !== undefined && { queued }) }
    })
  }
}

/** What `UNAVAILABLE` and the others claim: that nothing was applied. An ended manager claims nothing. */
function outcomeOf(error: unknown): { outcome: 'failed' | 'unknown'; why: string } {
  const code = LockError.find(error)?.code
  if (code === 'TIMEOUT' || code === 'UNAVAILABLE') return { outcome: 'failed', why: code }
  if (code !== undefined) return { outcome: 'unknown', why: code }
  if (error === changedMind) return { outcome: 'failed', why: 'aborted' }
  return { outcome: 'unknown', why: String(error) }
}

/** The reason of a signal that ends a wait. */
export const changedMind = new Error('changed its mind')

/** Whether a call may end like this. */
export function isExpected(error: unknown): boolean {
  if (error === changedMind) return true
  const code = LockError.find(error)?.code
  return code !== undefined && code !== 'INVALID_ARGUMENT' && code !== 'UNSUPPORTED' && code !== 'RELEASED'
}

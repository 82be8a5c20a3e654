import { LockError, MemoryGuard } from '@locks/core'
import type { Ledger } from './ledger.ts'
import { now } from './now.ts'
import type { Final } from './records.ts'
import type { Answer, Wish } from './work/port.ts'

/**
 * What the locks protect: a count to which each write adds one, and a set to which each write adds an element. A write
 * replaces both by what its writer had read, and one more: it undoes whatever was written in between.
 */
class Resource {
  readonly checked: boolean
  readonly #guard = new MemoryGuard()
  #head: string | null = null
  readonly #states = new Map<string | null, { readonly count: number; readonly base: string | null }>([
    [null, { count: 0, base: null }],
  ])

  constructor(checked: boolean) {
    this.checked = checked
  }

  access({ action, mode, token, base = null, element = '' }: Wish): Answer {
    if (this.checked && !this.#admits(mode, BigInt(token ?? 0))) return { accepted: false, base: null }
    if (action === 'write') {
      this.#states.set(element, { count: (this.#states.get(base)?.count ?? 0) + 1, base })
      this.#head = element
    }
    return { accepted: true, base: this.#head }
  }

  final(resource: string): Final {
    const elements: string[] = []
    for (let at = this.#head; at !== null; at = this.#states.get(at)?.base ?? null) elements.push(at)
    const count = this.#states.get(this.#head)?.count ?? 0
    return { action: 'final', resource, checked: this.checked, elements, count }
  }

  #admits(mode: Wish['mode'], token: bigint): boolean {
    try {
      this.#guard.enter({ mode, token })
      return true
    } catch (error) {
      if (LockError.is(error, 'LOST')) return false
      throw error
    }
  }
}

/** All of them, and the record of what is done to them. */
export class Resources {
  readonly #all = new Map<string, Resource>()
  readonly #ledger: Ledger

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  access(client: string, wish: Wish): Answer {
    const { resource, checked, action, mode, token, acquire, invoked } = wish
    let found = this.#all.get(resource)
    if (!found) this.#all.set(resource, (found = new Resource(checked)))
    const answer = found.access(wish)
    this.#ledger.access({
      action,
      client,
      resource,
      checked,
      mode,
      token,
      acquire,
      base: action === 'read' ? answer.base : (wish.base ?? null),
      ...(wish.element !== undefined && { element: wish.element }),
      invoked,
      completed: now(),
      outcome: answer.accepted ? 'ok' : 'failed',
    })
    return answer
  }

  finals(): Final[] {
    return [...this.#all].map(([name, resource]) => resource.final(name))
  }
}

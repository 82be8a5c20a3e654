import { AsyncLocalStorage } from 'node:async_hooks'

interface Held {
  readonly by: object
  readonly name: string
  readonly outer: Held | undefined
}

const held = new AsyncLocalStorage<Held>()

/** Runs a callback as one that holds a manager's lock. */
export function holding<T>(by: object, name: string, callback: () => T): T {
  return held.run({ by, name, outer: held.getStore() }, callback)
}

/** Whether the present asynchronous context runs under a manager's lock of this name. */
export function holds(by: object, name: string): boolean {
  for (let at = held.getStore(); at; at = at.outer) if (at.by === by && at.name === name) return true
  return false
}

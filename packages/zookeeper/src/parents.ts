import type { Instant } from '@locks/core/backend'
import type { Call } from './client.ts'
import { code, isRefusal, unless } from './failures.ts'
import { create, remove, type Acl } from './operations.ts'
import type { Paths } from './paths.ts'

/** Milliseconds for which a name's parent is left alone that this session has used. */
const idleFor = 5_000

/**
 * The parents of the queues. Each is a container, which the servers delete by themselves some time after its last child,
 * so that a client which dies leaves none for ever; a client that lives deletes those which it has not used for a while.
 * So any of them may vanish between two calls, and is made again where it is missed.
 */
export class Parents {
  readonly #call: Call
  readonly #paths: Paths
  readonly #acl: readonly Acl[]
  /** By name, when it was last used; the longest ago first. */
  readonly #used = new Map<string, number>()
  readonly #making = new Map<string, Promise<void>>()

  constructor(call: Call, paths: Paths, acl: readonly Acl[]) {
    this.#call = call
    this.#paths = paths
    this.#acl = acl
  }

  /** Called before each use: sends for the parent unless it is likely there. */
  use(name: string, now: Instant): void {
    if (!this.#used.delete(name)) this.#make(this.#paths.parent(name)).catch(() => {})
    this.#used.set(name, now.mono)
  }

  /** It is missed. */
  make(name: string): Promise<void> {
    const path = this.#paths.parent(name)
    const pending = this.#making.get(path)
    if (pending) return pending
    const making = this.#makeAll(path).finally(() => this.#making.delete(path))
    this.#making.set(path, making)
    return making
  }

  /** Deletes those that have not been used for a while, unless somebody else uses them. */
  tidy(now: Instant, busy: (name: string) => boolean): void {
    for (const [name, used] of this.#used) {
      if (now.mono - used < idleFor) return
      this.#used.delete(name)
      if (busy(name)) this.#used.set(name, now.mono)
      else void this.#delete(this.#paths.parent(name)).catch(() => {})
    }
  }

  /** Deletes all that this session has used. */
  async clear(): Promise<void> {
    const paths = [...this.#used.keys()].map((name) => this.#paths.parent(name))
    this.#used.clear()
    await Promise.all([...paths, this.#paths.namespace].map((path) => this.#delete(path)))
  }

  async #delete(path: string): Promise<void> {
    await unless(this.#call(remove(path)), undefined, code.notEmpty, code.noNode, code.noAuth)
  }

  async #makeAll(path: string): Promise<void> {
    for (;;) {
      try {
        return await this.#make(path)
      } catch (error) {
        if (!isRefusal(error, code.noNode)) throw error
      }
      await makeNamespace(this.#call, this.#paths, this.#acl)
    }
  }

  async #make(path: string): Promise<void> {
    await makeContainer(this.#call, path, this.#acl)
  }
}

/** What all names of a namespace are under. */
export async function makeNamespace(call: Call, { root, namespace }: Paths, acl: readonly Acl[]): Promise<void> {
  try {
    return await makeContainer(call, namespace, acl)
  } catch (error) {
    if (!isRefusal(error, code.noNode)) throw error
  }
  // The root stays.
  for (let end = root.indexOf('/', 1); ; end = root.indexOf('/', end + 1)) {
    const path = end < 0 ? root : root.slice(0, end)
    await unless(call(create({ path, data: empty, acl, mode: 'persistent' })), undefined, code.nodeExists)
    if (end < 0) break
  }
  await makeContainer(call, namespace, acl)
}

async function makeContainer(call: Call, path: string, acl: readonly Acl[]): Promise<void> {
  await unless(call(create({ path, data: empty, acl, mode: 'container' })), undefined, code.nodeExists)
}

const empty = Buffer.alloc(0)

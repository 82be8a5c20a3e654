import type { Call } from './client.ts'
import { code, isRefusal } from './failures.ts'
import { create, write, type Acl } from './operations.ts'
import { makeNamespace } from './parents.ts'
import type { Paths } from './paths.ts'

/** The node that a session writes to for no other reason than to have written. */
export class Sign {
  readonly #paths: Paths
  readonly #acl: readonly Acl[]
  readonly #label: Buffer
  #session = ''

  /** `label`: for whoever asks whose session it is. */
  constructor(paths: Paths, acl: readonly Acl[], label: Buffer) {
    this.#paths = paths
    this.#acl = acl
    this.#label = label
  }

  /** The session's id. */
  get session(): string {
    return this.#session
  }

  get path(): string {
    return this.#paths.sign(this.#session)
  }

  /** On a new connection. */
  async announce(call: Call, session: string): Promise<void> {
    const first = this.#session === ''
    this.#session = session
    await (first ? this.#make(call) : this.give(call))
  }

  async give(call: Call): Promise<void> {
    try {
      await call(write(this.path, this.#label), true)
    } catch (error) {
      // Somebody has deleted it; the session is none the worse for it.
      if (!isRefusal(error, code.noNode)) throw error
      await this.#make(call)
    }
  }

  async #make(call: Call): Promise<void> {
    for (;;) {
      try {
        await call(create({ path: this.path, data: this.#label, acl: this.#acl, mode: 'ephemeral' }))
        return
      } catch (error) {
        if (isRefusal(error, code.nodeExists)) return
        if (!isRefusal(error, code.noNode)) throw error
      }
      await makeNamespace(call, this.#paths, this.#acl)
    }
  }
}

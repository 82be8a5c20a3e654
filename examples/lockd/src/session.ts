import type { Socket } from 'node:net'
import {
  LockError,
  settledWithin,
  type Claim,
  type Clock,
  type Entry,
  type Grant,
  type Loss,
  type Proof,
  type Request,
  type Session,
  type SessionOptions,
  type Timer,
} from '@locks/core/backend'
import { speak, type Answer, type Ask, type News, type Standing, type Verbs } from './protocol.ts'

/** Milliseconds for which `close` tries to say goodbye; without it, what is left expires. */
const closeWithin = 400

interface Pending {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: LockError) => void
  readonly late: Timer
}

/** One connection: what is asked is answered in order, and the session ends with it. */
export class LockdSession implements Session {
  readonly ordered = true
  readonly leases = 'entry'
  readonly ttl: number
  readonly ended: Promise<LockError>
  readonly #clock: Clock
  readonly #options: SessionOptions
  readonly #socket: Socket
  readonly #say: (message: unknown) => void
  readonly #pending = new Map<number, Pending>()
  #calls = 0
  #over: LockError | undefined
  #end!: (why: LockError) => void

  constructor(socket: Socket, options: SessionOptions) {
    this.ttl = options.ttl
    this.ended = new Promise((resolve) => (this.#end = resolve))
    this.#clock = options.clock
    this.#options = options
    this.#socket = socket
    this.#say = speak(socket, (message) => this.#hear(message as Answer | News))
    socket.on('error', () => {})
    socket.on('close', () => this.#finish('the connection to lockd has ended'))
  }

  async acquire({ id, names, mode, permits, weight, wait }: Request): Promise<Grant | 'queued' | null> {
    const { clientId, owner, ttl } = this.#options
    // One name, no theft, no value: the rest is declared absent, and core does not ask for it.
    const key = this.#key(names[0] as string)
    const ask: Ask = { id, key, mode, permits, weight, wait, clientId, owner, ttl, sent: this.#clock.now() }
    const answer = await this.#call('acquire', ask)
    if (answer === null) return null
    const found = proved(answer)
    return 'tokens' in found ? found : 'queued'
  }

  async renew(claims: readonly Claim[]): Promise<ReadonlyMap<string, Grant | Proof | Loss>> {
    const ids = claims.map(({ id }) => id)
    const answers = await this.#call('renew', { ids, sent: this.#clock.now() })
    const found = new Map(answers.map((each) => [each.id, proved(each)]))
    return new Map(ids.map((id) => [id, found.get(id) ?? 'gone']))
  }

  remove({ id }: Claim): Promise<boolean> {
    return this.#call('remove', id)
  }

  /** Nothing: every entry expires by itself. */
  own(): Promise<readonly Claim[]> {
    return Promise.resolve([])
  }

  async query(name?: string): Promise<readonly Entry[]> {
    const prefix = this.#key('')
    const entries = await this.#call('query', { prefix, key: name === undefined ? undefined : this.#key(name) })
    return entries.map(({ key, token, ...entry }) => ({
      ...entry,
      name: key.slice(prefix.length),
      token: token === undefined ? undefined : BigInt(token),
    }))
  }

  async close(): Promise<void> {
    await settledWithin(this.#clock, this.#call('leave', undefined), closeWithin)
    this.#finish('the session was closed')
  }

  #key(name: string): string {
    return `${this.#options.namespace}/${name}`
  }

  /** A call that is not answered for a ttl ends the session: by then it has proved nothing for as long. */
  #call<V extends keyof Verbs>(verb: V, given: Parameters<Verbs[V]>[0]): Promise<ReturnType<Verbs[V]>> {
    if (this.#over) return Promise.reject(this.#over)
    const call = ++this.#calls
    return new Promise((resolve, reject) => {
      const late = this.#clock.after(this.ttl, () => this.#finish('lockd did not answer for a ttl'))
      this.#pending.set(call, { resolve: (answer) => resolve(answer as ReturnType<Verbs[V]>), reject, late })
      this.#say({ call, verb, given })
    })
  }

  #hear(message: Answer | News): void {
    if ('granted' in message) {
      const found = proved(message.granted)
      if ('tokens' in found) this.#options.events.granted(found)
      return
    }
    const { call, answer, error } = message
    const pending = this.#pending.get(call)
    this.#pending.delete(call)
    pending?.late.cancel()
    if (error) pending?.reject(new LockError(error.code, error.message))
    else pending?.resolve(answer)
  }

  /** Lets go of everything local. What had been sent may have been applied or not. */
  #finish(why: string): void {
    if (this.#over) return
    this.#over = new LockError('UNAVAILABLE', why)
    for (const { late, reject } of this.#pending.values()) {
      late.cancel()
      reject(new LockError('OUTCOME_UNKNOWN', why))
    }
    this.#pending.clear()
    this.#socket.destroy()
    this.#end(this.#over)
  }
}

function proved({ id, sent, ttl, token }: Standing): Grant | Proof {
  const proof = { sent, ttl }
  return token === undefined ? proof : { id, tokens: [BigInt(token)], proof }
}

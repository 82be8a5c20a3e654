/**
 * A lock as it is often made with Redis: `SET key value NX PX ttl`, asked for again and again, released by whoever has the
 * value. Each attempt has a value of its own, there is no token but the time, and what a driver sends again after its
 * connection failed finds the key that the same client has made.
 */
import {
  LockError,
  type Adapter,
  type Backend,
  type Claim,
  type Grant,
  type Proof,
  type Request,
  type Session,
  type SessionOptions,
} from '@locks/core/backend'
import { Redis } from 'ioredis'

const retryAfter = 50

export const adapter: Adapter = { schemes: ['plain'], fromUrl: (url) => plain(Number(new URL(url).port)) }

const plain = (port: number): Backend => ({
  name: 'plain redis',
  capabilities: {
    scope: 'network',
    // It has none; its users take the time.
    fencing: 'volatile',
    order: 'none',
    shared: false,
    semaphore: false,
    steal: false,
    sets: 'ordered',
    elections: false,
    listing: 'none',
    reconnects: true,
    ttl: { min: 100, max: 60_000 },
    takeover: 1_000,
  },
  open: (options) => Promise.resolve(new PlainSession(port, options)),
})

const free = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end`
const extend = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) else return 0 end`

class PlainSession implements Session {
  readonly ttl: number
  readonly ordered = false
  readonly leases = 'entry'
  readonly ended = new Promise<LockError>(() => {})
  readonly #options: SessionOptions
  readonly #redis: Redis
  /** By the claim. */
  readonly #held = new Map<string, { readonly value: string; readonly token: bigint }>()
  readonly #waiting = new Map<string, NodeJS.Timeout>()

  constructor(port: number, options: SessionOptions) {
    this.ttl = options.ttl
    this.#options = options
    this.#redis = new Redis(port, '127.0.0.1')
    this.#redis.on('error', () => {})
  }

  async acquire(request: Request): Promise<Grant | 'queued' | null> {
    if (this.#waiting.has(request.id)) return 'queued'
    const grant = await this.#try(request)
    if (grant || !request.wait) return grant
    this.#wait(request)
    return 'queued'
  }

  async renew(claims: readonly Claim[]): Promise<ReadonlyMap<string, Grant | Proof | 'gone'>> {
    const found = new Map<string, Grant | Proof | 'gone'>()
    for (const claim of claims) {
      const sent = this.#options.clock.now()
      const proof = { sent, ttl: this.ttl }
      const held = this.#held.get(claim.id)
      if (!held) found.set(claim.id, this.#waiting.has(claim.id) ? proof : 'gone')
      else if (await this.#eval(extend, claim, held.value, this.ttl))
        found.set(claim.id, grantOf(claim, held.token, proof))
      else found.set(claim.id, 'gone')
    }
    return found
  }

  async remove(claim: Claim): Promise<boolean> {
    clearTimeout(this.#waiting.get(claim.id))
    this.#waiting.delete(claim.id)
    const held = this.#held.get(claim.id)
    if (!held) return false
    const freed = await this.#eval(free, claim, held.value)
    this.#held.delete(claim.id)
    return freed
  }

  own(): Promise<readonly Claim[]> {
    return Promise.resolve([])
  }

  query(): Promise<readonly never[]> {
    return Promise.resolve([])
  }

  close(): Promise<void> {
    for (const timer of this.#waiting.values()) clearTimeout(timer)
    this.#redis.disconnect()
    return Promise.resolve()
  }

  async #try(claim: Claim): Promise<Grant | null> {
    const { clock, random } = this.#options
    const [value, sent] = [random.id(), clock.now()]
    const token = BigInt(Math.round(sent.wall * 1_000))
    const done = await this.#asked(this.#redis.set(keyOf(claim), value, 'PX', this.ttl, 'NX'))
    if (done === null) return null
    this.#held.set(claim.id, { value, token })
    return grantOf(claim, token, { sent, ttl: this.ttl })
  }

  #wait(claim: Claim): void {
    const again = async () => {
      const grant = await this.#try(claim).catch(() => null)
      if (grant) this.#options.events.granted(grant)
      if (this.#waiting.delete(claim.id) && !grant) this.#wait(claim)
    }
    this.#waiting.set(
      claim.id,
      setTimeout(() => void again(), retryAfter),
    )
  }

  async #eval(script: string, claim: Claim, ...args: (string | number)[]): Promise<boolean> {
    return (await this.#asked(this.#redis.eval(script, 1, keyOf(claim), ...args))) === 1
  }

  async #asked<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (cause) {
      throw new LockError('OUTCOME_UNKNOWN', String(cause), { cause, temporary: true })
    }
  }
}

const keyOf = ({ names: [name = ''] }: Claim) => `plain:${name}`

const grantOf = ({ id }: Claim, token: bigint, proof: Proof): Grant => ({ id, tokens: [token], proof })

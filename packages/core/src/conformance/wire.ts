import type { Backend, Claim, Session } from '../contract.ts'
import { LockError } from '../errors.ts'
import type { Wire, Wired } from './harness.ts'

type Condition = 'healthy' | 'silent' | 'answerless' | 'late' | 'cut' | 'deaf'

/** What is on its way while the line holds it up. */
interface Held {
  readonly event?: boolean
  readonly deliver: () => void
  /** What becomes of a call when its connection is given up; an event or an answer is lost. */
  readonly abandon?: () => Held
}

/**
 * A backend behind a line that can fail at the boundary of its sessions. For stores without a network of their own;
 * over a network, a proxy does the same to the bytes.
 */
export function wired(backend: Backend): Wired {
  const line = new Line()
  const open: Backend['open'] = async (options) => {
    const { events } = options
    const session = await line.carry(() =>
      backend.open({
        ...options,
        events: {
          granted: (grant) => line.tell(() => events.granted(grant)),
          lost: (id, how) => line.tell(() => events.lost(id, how)),
        },
      }),
    )
    line.sessions.add(session)
    void session.ended.then(() => line.sessions.delete(session))
    return wiredSession(session, line)
  }
  return { backend: { ...backend, open }, wire: line }
}

class Line implements Wire {
  readonly sessions = new Set<Session>()
  #sent = 0
  #condition: Condition = 'healthy'
  #held: Held[] = []

  silence(): Promise<void> {
    return this.#turn('silent')
  }

  dropAnswers(): Promise<void> {
    return this.#turn('answerless')
  }

  delayAnswers(): Promise<void> {
    return this.#turn('late')
  }

  cut(): Promise<void> {
    return this.#turn('cut')
  }

  deafen(): Promise<void> {
    return this.#turn('deaf')
  }

  reconnect(): Promise<void> {
    this.#held = this.#held.flatMap(({ abandon }) => abandon?.() ?? [])
    return this.#turn('healthy')
  }

  heal(): Promise<void> {
    const done = this.#turn('healthy')
    const held = this.#held
    this.#held = []
    // An event travels by itself, and may well be faster than an answer.
    for (const { event, deliver } of held) if (event) deliver()
    for (const { event, deliver } of held) if (!event) deliver()
    return done
  }

  sent(): Promise<number> {
    return Promise.resolve(this.#sent)
  }

  /** What a session sends at once, it sends in one call. */
  roundTrips(): Promise<number> {
    return this.sent()
  }

  async end(): Promise<void> {
    await Promise.all([...this.sessions].map((session) => session.close()))
  }

  tell(event: () => void): void {
    if (this.#condition === 'healthy') event()
    else if (this.#condition === 'silent' || this.#condition === 'late')
      this.#held.push({ event: true, deliver: event })
  }

  carry<T>(call: () => Promise<T>): Promise<T> {
    this.#sent++
    if (this.#condition === 'cut') return Promise.reject(new LockError('UNAVAILABLE', 'the line is cut'))
    if (this.#condition === 'silent') {
      return new Promise((resolve, reject) => {
        const deliver = () => void this.carry(call).then(resolve, reject)
        const abandon = () => {
          // A client learns of it after the fact, and may have changed its mind before.
          setImmediate(() => reject(new LockError('OUTCOME_UNKNOWN', 'the connection was given up')))
          return { deliver: () => void call().catch(() => {}) }
        }
        this.#held.push({ deliver, abandon })
      })
    }
    const answer = call()
    if (this.#condition !== 'answerless' && this.#condition !== 'late') return answer
    answer.catch(() => {})
    if (this.#condition === 'answerless') return new Promise(() => {})
    return new Promise((resolve, reject) => {
      this.#held.push({ deliver: () => void answer.then(resolve, reject) })
    })
  }

  #turn(condition: Condition): Promise<void> {
    this.#condition = condition
    return Promise.resolve()
  }
}

function wiredSession(session: Session, line: Line): Session {
  return {
    ...(session.raise && {
      raise: (name: string, token: bigint) => line.carry(() => session.raise?.(name, token) ?? Promise.resolve()),
    }),
    ...(session.watch && {
      watch: (name: string, changed: () => void) =>
        line.carry(() => session.watch?.(name, () => line.tell(changed)) ?? Promise.resolve(() => {})),
    }),
    ttl: session.ttl,
    ordered: session.ordered,
    leases: session.leases,
    ended: session.ended,
    acquire: (request) => line.carry(() => session.acquire(request)),
    renew: (claims: readonly Claim[]) => line.carry(() => session.renew(claims)),
    remove: (claim) => line.carry(() => session.remove(claim)),
    own: () => line.carry(() => session.own()),
    query: (name) => line.carry(() => session.query(name)),
    // The client's own half closes in any case; a line that fails keeps the store from hearing of it.
    close: () => line.carry(() => session.close()),
  }
}

import type { Backend, Claim, Session } from '../contract.ts'
import { LockError } from '../errors.ts'
import type { Wire, Wired } from './harness.ts'

type Condition = 'healthy' | 'silent' | 'answerless' | 'cut' | 'deaf'

/**
 * A backend behind a line that can fail at the boundary of its sessions. For stores without a network of their own;
 * over a network, a proxy does the same to the bytes.
 */
export function wired(backend: Backend): Wired {
  const line = new Line()
  const open: Backend['open'] = async (options) => {
    const { granted, lost } = options.events
    const session = await line.carry(() =>
      backend.open({
        ...options,
        events: {
          granted: (grant) => line.tell(() => granted(grant)),
          lost: (id, how) => line.tell(() => lost(id, how)),
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
  sent = 0
  #condition: Condition = 'healthy'
  #held: (() => void)[] = []

  silence(): void {
    this.#condition = 'silent'
  }

  dropAnswers(): void {
    this.#condition = 'answerless'
  }

  cut(): void {
    this.#condition = 'cut'
  }

  deafen(): void {
    this.#condition = 'deaf'
  }

  heal(): void {
    this.#condition = 'healthy'
    const held = this.#held
    this.#held = []
    for (const deliver of held) deliver()
  }

  async end(): Promise<void> {
    await Promise.all([...this.sessions].map((session) => session.close()))
  }

  tell(event: () => void): void {
    if (this.#condition === 'healthy') event()
    else if (this.#condition === 'silent') this.#held.push(event)
  }

  carry<T>(call: () => Promise<T>): Promise<T> {
    this.sent++
    if (this.#condition === 'cut') return Promise.reject(new LockError('UNAVAILABLE', 'the line is cut'))
    if (this.#condition === 'silent') {
      return new Promise((resolve, reject) => {
        this.#held.push(() => void this.carry(call).then(resolve, reject))
      })
    }
    const answer = call()
    if (this.#condition !== 'answerless') return answer
    answer.catch(() => {})
    return new Promise(() => {})
  }
}

function wiredSession(session: Session, line: Line): Session {
  return {
    ttl: session.ttl,
    ordered: session.ordered,
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

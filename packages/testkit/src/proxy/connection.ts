import { connect, type Socket } from 'node:net'
import { Flow, reset, type Gate } from './flow.ts'
import type { Framing, Piece } from './framing.ts'
import { Rewriting } from './rewriting.ts'
import type { Upstream } from './verbs.ts'

/** What befalls a connection; none is left where the line is cut. */
export type Condition = 'healthy' | 'silent' | 'answerless' | 'late' | 'deaf'

/** What all connections of a line share. */
export interface Terms {
  /** Added each way, ms. */
  readonly latency: number
  /** For how long, ms, a server that cannot be reached is tried again before the client hears of it. */
  readonly patience: number
  /** `begins`: whether everything that was asked before has been answered, as far as that is known. */
  count(requests: number, begins: boolean): void
  /** Whether the answer that has just come is the one to be cut. */
  takeCut(): boolean
  /** Whether nothing passes of connections from there, nor to there. */
  isSilenced(sender: string | undefined): boolean
}

export interface Ends {
  readonly client: Socket
  readonly upstream: Upstream
}

/** A client's connection, and the one to its server that belongs to it. */
export class Connection {
  readonly #client: Socket
  readonly #upstream: Upstream
  readonly #terms: Terms
  readonly #framing: Framing
  readonly #rewritings: Rewriting[] = []
  readonly #requests: Flow
  readonly #answers: Flow
  readonly #closed: () => void
  #server: Socket | undefined
  #condition: Condition
  #answeredLast = true
  /** Whether what comes of the server's current frame is lost. */
  #losing = false
  #abandoned = false

  constructor({ client, upstream }: Ends, condition: Condition, terms: Terms, framing: Framing, closed: () => void) {
    this.#client = client
    this.#upstream = upstream
    this.#terms = terms
    this.#framing = framing
    this.#closed = closed
    this.#condition = condition
    this.#requests = new Flow(() => terms.latency)
    this.#answers = new Flow(() => terms.latency)
    this.#requests.from(client, (chunk) => this.#requested(chunk))
    this.#answers.to(client)
    client.on('close', () => this.#checkClosed())
    this.#setGates()
  }

  /** An answer can only be lost together with its connection: where one was, the connection does not survive `healthy`. */
  set condition(condition: Condition) {
    if (this.#abandoned && condition !== 'healthy') return
    if (condition === 'healthy' && this.#answers.lost) this.abandon()
    this.#condition = condition
    this.#setGates()
  }

  /** Resets the client's side. What has come from there goes to the server, when the gate permits, unanswered. */
  abandon(): void {
    this.#abandoned = true
    reset(this.#client)
    this.#requests.finish('end')
  }

  reset(): void {
    reset(this.#client)
    if (this.#server) reset(this.#server)
  }

  rewrite(from: string, to: string): void {
    this.#rewritings.push(new Rewriting(from, to))
  }

  #setGates(): void {
    const held = this.#condition === 'silent' || this.#terms.isSilenced(this.#framing.sender)
    if (!held && !this.#server) this.#connect()
    this.#requests.gate = held ? 'held' : 'open'
    if (this.#abandoned) this.#answers.gate = 'lossy'
    else this.#answers.gate = held ? 'held' : this.#answerGate()
  }

  #answerGate(): Gate {
    switch (this.#condition) {
      case 'healthy':
        return 'open'
      case 'silent':
      case 'late':
        return 'held'
      case 'answerless':
        return 'lossy'
      case 'deaf':
        return this.#framing.listens ? 'lossy' : 'open'
    }
  }

  #connect(until = performance.now() + this.#terms.patience): void {
    const server = connect({ ...this.#upstream, noDelay: true, allowHalfOpen: true })
    this.#server = server
    if (performance.now() >= until) {
      this.#join(server)
      return
    }
    const retry = () => setTimeout(() => !this.#client.destroyed && this.#connect(until), pause)
    server.once('error', retry)
    server.once('connect', () => this.#join(server.off('error', retry)))
  }

  #join(server: Socket): void {
    server.on('end', () => this.#answered(Buffer.alloc(0), { last: true }))
    server.on('close', () => this.#checkClosed())
    this.#requests.to(server)
    this.#answers.from(server, (chunk) => this.#answered(chunk))
  }

  #requested(chunk: Buffer): void {
    const requests = this.#framing.read(chunk)
    this.#terms.count(requests, this.#answeredLast)
    if (requests > 0) this.#answeredLast = false
    this.#setGates()
    this.#requests.push(chunk)
  }

  #answered(chunk: Buffer, { last = false } = {}): void {
    const rewritten = this.#rewritings.reduce((bytes, rewriting) => rewriting.pass(bytes, { last }), chunk)
    const answer = this.#hear(rewritten)
    if (answer.length > 1 && this.#terms.takeCut()) {
      this.#answers.push(answer.subarray(0, -Math.min(cutOff, answer.length - 1)))
      this.#answers.finish('reset')
    } else {
      this.#answers.push(answer)
    }
  }

  #hear(chunk: Buffer): Buffer {
    const passed: Buffer[] = []
    for (const { bytes, notifies, begins } of this.#framing.split?.(chunk) ?? [whole(chunk)]) {
      // The rest of what has begun to arrive arrives.
      if (begins) this.#losing = notifies && this.#condition === 'deaf'
      if (this.#losing) this.#answers.lost = true
      else passed.push(bytes)
      this.#answeredLast ||= !notifies
    }
    return Buffer.concat(passed)
  }

  #checkClosed(): void {
    if (this.#client.destroyed && this.#server?.destroyed) this.#closed()
  }
}

const whole = (bytes: Buffer): Piece => ({ bytes, notifies: false, begins: true })

/** Between two tries to reach a server, ms. */
const pause = 20

/** An answer is cut so close to its end that it is the last frame of the chunk that comes in part. */
const cutOff = 3

import type { Clock, Instant, LockError, Timer } from '@locks/core/backend'
import { connect, type Socket } from 'node:net'
import { Answer } from './answer.ts'
import { code, disconnection, failureOf, Refusal, unavailable, unknown } from './failures.ts'
import { jute, type Message } from './jute.ts'
import type { Operation } from './operations.ts'

export interface Server {
  readonly host: string
  readonly port: number
}

export interface Credentials {
  readonly username: string
  readonly password: string
}

/** A session as the servers know it; one that is still to be made has an id of nothing but zeros. */
export interface Identity {
  readonly id: Buffer
  readonly password: Buffer
  /** Milliseconds, as asked for, then as granted. */
  readonly ttl: number
  /** The newest transaction that was seen: a server that has not seen it yet refuses the connection. */
  readonly zxid: bigint
}

export interface ConnectionOptions {
  readonly server: Server
  readonly clock: Clock
  /** Milliseconds after which a server that owes an answer is given up. */
  readonly patience: number
  /** The same, of one that has not taken the session yet. */
  readonly greetWithin: number
  /** Something that was watched for has happened to a node: see `events`. */
  readonly changed: (path: string, event: number) => void
  readonly ended: (why: LockError) => void
}

interface Request {
  readonly operation: Operation<unknown>
  readonly resolve: (answer: unknown) => void
  readonly reject: (why: Error) => void
}

interface Pending extends Request {
  readonly xid: number
  readonly since: Instant
}

/** So many requests are on their way; a beat that comes behind a thousand others would come too late. */
const mostAtOnce = 100
const xids = { notification: -1, auth: -4 } as const
const authType = 100
/** No answer is longer: what says so is no answer. */
const longestFrame = 256 * 1024 * 1024

/**
 * One connection to one server. Requests are answered in their order, and fail when the connection does; nothing is kept
 * for the next one, which begins with an empty buffer: half an answer must not be read as the beginning of another.
 */
export class Connection {
  readonly #options: ConnectionOptions
  readonly #socket: Socket
  readonly #pending: Pending[] = []
  /** What has not left. */
  readonly #waiting: Request[] = []
  #welcome: ((answer: Answer) => void) | undefined
  #buffer: Buffer = Buffer.alloc(0)
  #xid = 0
  /** When it has last answered, `mono`. */
  #heard = 0
  #zxid: bigint
  #why: LockError | undefined
  readonly #leaving: Buffer[] = []
  #timer: Timer | undefined

  constructor(options: ConnectionOptions, identity: Identity, credentials: Credentials | undefined) {
    this.#options = options
    this.#zxid = identity.zxid
    const { host, port } = options.server
    this.#socket = connect({ host, port, noDelay: true })
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    this.#socket.on('error', (error) => this.end(disconnection(error)))
    this.#socket.on('close', () => this.end(disconnection(undefined)))
    this.#send(greeting(identity))
    if (credentials) this.#send(authentication(credentials))
  }

  /** The newest transaction that this connection has told of. */
  get zxid(): bigint {
    return this.#zxid
  }

  /** The session as the server grants it; undefined when it has expired. To be called once, first of all. */
  opened(): Promise<Identity | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<Identity | undefined>()
    const request = {
      operation: { type: 0, payload: null, read: () => undefined },
      resolve: (answer: unknown) => resolve(answer as Identity | undefined),
      reject,
    }
    this.#welcome = (answer) => {
      // The version of the protocol.
      answer.int()
      const ttl = answer.int()
      const id = Buffer.alloc(8)
      id.writeBigInt64BE(answer.long())
      const password = Buffer.from(answer.buffer())
      this.#pending.shift()?.resolve(ttl > 0 ? { id, password, ttl, zxid: this.#zxid } : undefined)
    }
    this.#expect(request, 0)
    return promise
  }

  /** `urgent`: ahead of all that has not left yet. */
  call<T>(operation: Operation<T>, urgent = false): Promise<T> {
    if (this.#why) return Promise.reject(unavailable('the connection to the ZooKeeper server was lost'))
    return new Promise<T>((resolve, reject) => {
      const request = { operation, resolve: resolve as (answer: unknown) => void, reject }
      if (urgent || this.#pending.length < mostAtOnce) this.#request(request)
      else this.#waiting.push(request)
    })
  }

  /** Every request that has left and has not been answered may still be carried out. */
  end(why: LockError): void {
    if (this.#why) return
    this.#why = why
    this.#timer?.cancel()
    this.#socket.destroy()
    // Of one that never got as far, nothing has left.
    const known = this.#welcome !== undefined || why.code !== 'UNAVAILABLE' || !why.temporary
    for (const { reject } of this.#pending.splice(0)) reject(known ? why : unknown(why.message))
    for (const { reject } of this.#waiting.splice(0)) reject(unavailable(why.message))
    this.#options.ended(why)
  }

  #request(request: Request): void {
    // A positive number of 32 bits.
    const xid = (this.#xid = (this.#xid % 0x7fff_ffff) + 1)
    this.#expect(request, xid)
    this.#send(frame(new jute.protocol.RequestHeader(xid, request.operation.type), request.operation.payload))
  }

  #expect({ operation, resolve, reject }: Request, xid: number): void {
    this.#pending.push({ operation, resolve, reject, xid, since: this.#options.clock.now() })
    this.#timer ??= this.#options.clock.after(this.#limit, () => this.#check())
  }

  /** A server is silent that owes an answer and gives none; one that has much to do answers one after the other. */
  #check(): void {
    this.#timer = undefined
    const oldest = this.#pending[0]
    if (!oldest) return
    const { clock } = this.#options
    const left = Math.max(oldest.since.mono, this.#heard) + this.#limit - clock.now().mono
    if (left > 0) this.#timer = clock.after(left, () => this.#check())
    else this.end(unknown(`the ZooKeeper server did not answer within ${Math.round(this.#limit)} ms`))
  }

  get #limit(): number {
    return this.#welcome ? this.#options.greetWithin : this.#options.patience
  }

  /** What is sent in one go of the event loop leaves together. */
  #send(bytes: Buffer): void {
    if (this.#leaving.push(bytes) > 1) return
    process.nextTick(() => {
      this.#socket.write(Buffer.concat(this.#leaving.splice(0)))
    })
  }

  #receive(chunk: Buffer): void {
    try {
      this.#heard = this.#options.clock.now().mono
      this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk])
      while (this.#buffer.length >= 4 && !this.#why) {
        const length = this.#buffer.readInt32BE(0)
        if (length < 0 || length > longestFrame) throw new RangeError('no answer is as long')
        if (this.#buffer.length < 4 + length) return
        const answer = new Answer(this.#buffer.subarray(4, 4 + length))
        this.#buffer = this.#buffer.subarray(4 + length)
        this.#read(answer)
      }
    } catch {
      // Whatever it was, an exception here would be the end of the user's process.
      this.end(unknown('the ZooKeeper server sent what cannot be understood'))
    }
  }

  #read(answer: Answer): void {
    const welcome = this.#welcome
    if (welcome) {
      this.#welcome = undefined
      return welcome(answer)
    }
    const [xid, zxid, error] = [answer.int(), answer.long(), answer.int()]
    if (xid === xids.notification) {
      const event = answer.int()
      // The state of the session.
      answer.int()
      this.#options.changed(answer.text(), event)
    } else if (xid === xids.auth) {
      if (error !== 0) this.end(failureOf(new Refusal(code.authFailed)))
    } else {
      const pending = this.#pending.shift()
      if (pending?.xid !== xid) throw new RangeError('an answer to another request')
      if (zxid > 0n) this.#zxid = zxid
      if (error === 0) pending.resolve(pending.operation.read(answer))
      else pending.reject(new Refusal(error))
      const next = this.#pending.length < mostAtOnce ? this.#waiting.shift() : undefined
      if (next) this.#request(next)
    }
  }
}

function greeting({ zxid, ttl, id, password }: Identity): Buffer {
  const seen = Buffer.alloc(8)
  seen.writeBigInt64BE(zxid)
  const message = new jute.protocol.ConnectRequest(0, seen, ttl, id, password)
  const bytes = Buffer.alloc(4 + message.byteLength() + 1)
  bytes.writeInt32BE(bytes.length - 4)
  message.serialize(bytes, 4)
  // And not to a server that has lost the others and only reads.
  bytes.writeUInt8(0, bytes.length - 1)
  return bytes
}

function authentication({ username, password }: Credentials): Buffer {
  const packet = new jute.protocol.AuthPacket(0, 'digest', Buffer.from(`${username}:${password}`))
  return frame(new jute.protocol.RequestHeader(xids.auth, authType), packet)
}

function frame(header: Message, payload: Message | null): Buffer {
  return new jute.Request(header, payload).toBuffer()
}

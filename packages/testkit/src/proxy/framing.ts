import { ZookeeperFraming } from './zookeeper.ts'

/** The little that the proxy knows of a protocol: what the bytes of one connection mean, in whatever pieces they come. */
export interface Framing {
  /** How many requests come to their end in these bytes of the client's. */
  read(chunk: Buffer): number
  /** Whether a request so far was one for notifications: all that comes from then on is one. */
  readonly listens: boolean
  /** What becomes of these bytes of the server's; absent where notifications and answers share no connection. */
  hear?(chunk: Buffer, deaf: boolean): Heard
}

export interface Heard {
  /** All but what is kept until more of it has come, and but the notifications if the client is deaf. */
  readonly passed: Buffer
  readonly lost: boolean
  /** Whether there was more than notifications. */
  readonly answered: boolean
}

export type FramingName = keyof typeof framings

export const framings = {
  none: (): Framing => ({ listens: false, read: () => 0 }),
  resp: (): Framing => new RespRequests(),
  zookeeper: (): Framing => new ZookeeperFraming(),
}

/** What is longer is no header; such a stream is passed on, and costs no more than others. */
const longestHeader = 32

/** Requests to Redis: arrays of strings, each with its length before it. */
class RespRequests implements Framing {
  listens = false
  /** As much of a header as has come. */
  #header = ''
  /** How many strings of the request are still to come. */
  #strings = 0
  /** How many bytes of the string are still to come, its line break among them. */
  #bytes = 0
  /** The name of the command while it comes: the first string. */
  #command: string | undefined

  read(chunk: Buffer): number {
    let requests = 0
    for (let at = 0; at < chunk.length;) {
      if (this.#bytes === 0) {
        at = this.#readHeader(chunk, at)
      } else {
        at = this.#readString(chunk, at)
        if (this.#bytes === 0 && --this.#strings === 0) requests++
      }
    }
    return requests
  }

  #readHeader(chunk: Buffer, from: number): number {
    const lineBreak = chunk.indexOf('\n', from)
    const to = lineBreak < 0 ? chunk.length : lineBreak + 1
    this.#header += chunk.toString('latin1', from, Math.min(to, from + longestHeader))
    if (lineBreak < 0) return to
    const count = Number(this.#header.slice(1))
    if (this.#header.startsWith('*')) {
      this.#strings = count
      this.#command = ''
    } else if (this.#header.startsWith('$')) {
      this.#bytes = count + '\r\n'.length
    }
    this.#header = ''
    return to
  }

  #readString(chunk: Buffer, from: number): number {
    const to = Math.min(chunk.length, from + this.#bytes)
    this.#bytes -= to - from
    if (this.#command !== undefined) {
      this.#command += chunk.toString('latin1', from, to)
      if (this.#bytes === 0) {
        this.listens ||= /^[ps]?subscribe\r\n$/i.test(this.#command)
        this.#command = undefined
      }
    }
    return to
  }
}

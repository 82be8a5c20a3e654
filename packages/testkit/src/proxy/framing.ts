import { GrpcRequests } from './grpc.ts'
import { PostgresFraming } from './postgres.ts'
import { RaftPeer } from './raft.ts'
import { ZookeeperFraming } from './zookeeper.ts'

/** The little that the proxy knows of a protocol: what the bytes of one connection mean, in whatever pieces they come. */
export interface Framing {
  /** How many requests come to their end in these bytes of the client's. */
  read(chunk: Buffer): number
  /** Whether a request so far was one for notifications: all answers are, from then on. */
  readonly listens?: boolean
  /** Where notifications come among other answers: these bytes of the server's, in pieces. Called with all that comes. */
  split?(answers: Buffer): readonly Piece[]
  /** Who says to be at the other end, where the protocol tells. */
  readonly sender?: string | undefined
}

/** Some bytes of one frame of the server's. */
export interface Piece {
  readonly bytes: Buffer
  readonly notifies: boolean
  /** Whether they are its first. */
  readonly begins: boolean
}

export type FramingName = keyof typeof framings

export const framings = {
  none: (): Framing => ({ read: () => 0 }),
  resp: (): Framing => new RespRequests(),
  postgres: (): Framing => new PostgresFraming(),
  zookeeper: (): Framing => new ZookeeperFraming(),
  grpc: (): Framing => new GrpcRequests(),
  raft: (): Framing => new RaftPeer(),
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

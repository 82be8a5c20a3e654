import type { Framing, Heard } from './framing.ts'

/** What a server numbers its notifications with; other numbers below zero are the connection's own business: pings, … */
const notification = -1

/** ZooKeeper's protocol: each way frames with their length before them, and a number, but for the first. */
export class ZookeeperFraming implements Framing {
  readonly listens = false
  readonly #requests = new Frames()
  readonly #answers = new Frames()
  /** Whether what comes of the server's current frame is lost. */
  #losing = false

  read(chunk: Buffer): number {
    const ended = this.#requests.read(chunk).filter(({ isLast }) => isLast)
    return ended.filter(({ number }) => number !== undefined && number >= 0).length
  }

  hear(chunk: Buffer, deaf: boolean): Heard {
    const passed: Buffer[] = []
    const heard = { answered: false, lost: false }
    for (const { bytes, number, isFirst } of this.#answers.read(chunk)) {
      if (isFirst) this.#losing = deaf && number === notification
      if (number !== notification) heard.answered = true
      if (this.#losing) heard.lost = true
      else passed.push(bytes)
    }
    return { ...heard, passed: Buffer.concat(passed) }
  }
}

/** Some bytes of one frame; none come before its number has, where it has one. */
interface Piece {
  readonly bytes: Buffer
  /** Absent in the first frame of a connection. */
  readonly number: number | undefined
  readonly isFirst: boolean
  readonly isLast: boolean
}

class Frames {
  /** As much of a header as has come. */
  #header = Buffer.alloc(0)
  /** How many bytes of the frame are still to come; undefined before its header has. */
  #left: number | undefined
  #number: number | undefined
  #isGreeting = true

  read(chunk: Buffer): Piece[] {
    const pieces: Piece[] = []
    for (let rest = chunk; rest.length > 0;) {
      let isFirst = false
      if (this.#left === undefined) {
        const before = this.#header.length
        this.#header = Buffer.concat([this.#header, rest.subarray(0, headerSize - before)])
        if (this.#header.length < headerSize) break
        rest = Buffer.concat([this.#header, rest.subarray(headerSize - before)])
        this.#header = Buffer.alloc(0)
        this.#left = lengthSize + Math.max(rest.readInt32BE(0), headerSize - lengthSize)
        this.#number = this.#isGreeting ? undefined : rest.readInt32BE(lengthSize)
        this.#isGreeting = false
        isFirst = true
      }
      const bytes = rest.subarray(0, this.#left)
      rest = rest.subarray(bytes.length)
      this.#left -= bytes.length
      const isLast = this.#left === 0
      if (isLast) this.#left = undefined
      pieces.push({ bytes, number: this.#number, isFirst, isLast })
    }
    return pieces
  }
}

const lengthSize = 4
const headerSize = 8

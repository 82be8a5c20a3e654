import type { Framing, Piece } from './framing.ts'

/** What a server numbers its notifications with; other numbers below zero are the connection's own business: pings, … */
const notification = -1

/** ZooKeeper's protocol: each way frames with their length before them, and a number, but for the first. */
export class ZookeeperFraming implements Framing {
  readonly #requests = new Frames()
  readonly #answers = new Frames()

  read(chunk: Buffer): number {
    const ended = this.#requests.read(chunk).filter(({ isLast }) => isLast)
    return ended.filter(({ number }) => number !== undefined && number >= 0).length
  }

  split(answers: Buffer): Piece[] {
    return this.#answers.read(answers).map(({ bytes, number, isFirst }) => {
      return { bytes, notifies: number === notification, begins: isFirst }
    })
  }
}

/** Some bytes of one frame; none come before its number has, where it has one. */
interface Part {
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

  read(chunk: Buffer): Part[] {
    const parts: Part[] = []
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
      parts.push({ bytes, number: this.#number, isFirst, isLast })
    }
    return parts
  }
}

const lengthSize = 4
const headerSize = 8

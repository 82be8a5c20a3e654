import type { Framing, Piece } from './framing.ts'

/** Packets without a type by which a client asks for encryption; the answer is one byte, and another packet follows. */
const negotiations = [80_877_103, 80_877_104]

const packetSize = 8

/** The protocol of Postgres, both ways: frames with a type, after one or more packets of the client without. */
export class PostgresFraming implements Framing {
  readonly #requests = new Frames({ typed: false })
  readonly #answers = new Frames({ typed: true })
  /** As much as matters of the packet without a type that is coming: its length, and a code. */
  #packet: Buffer = Buffer.alloc(0)

  read(chunk: Buffer): number {
    let requests = 0
    for (const { type, bytes, ends } of this.#requests.read(chunk)) {
      if (type === '') this.#open(bytes, ends)
      // Of the extended protocol, nothing is answered for certain before a sync.
      else if (ends && (type === 'Q' || type === 'S')) requests++
    }
    return requests
  }

  split(answers: Buffer): Piece[] {
    return [...this.#answers.read(answers)].map(({ bytes, type, begins }) => {
      return { bytes, notifies: type === 'A', begins }
    })
  }

  /** What seems to be one more packet after this may be the beginning of TLS, and then a very long one. */
  #open(bytes: Buffer, ends: boolean): void {
    this.#packet = Buffer.concat([this.#packet, bytes.subarray(0, packetSize - this.#packet.length)])
    if (!ends || this.#packet.length < packetSize) return
    const code = this.#packet.readUInt32BE(packetSize - 4)
    this.#packet = Buffer.alloc(0)
    if (negotiations.includes(code)) this.#answers.expectByte()
    else this.#requests.expectTypes()
  }
}

/** The type, and a length that counts itself. */
const headerSize = 5

interface Part {
  /** Empty for a packet without, and for a lone byte. */
  readonly type: string
  readonly bytes: Buffer
  /** Whether it is the first of its frame, and the last. */
  readonly begins: boolean
  readonly ends: boolean
}

/** A stream of frames, in whatever pieces it comes. */
class Frames {
  #typed: boolean
  #lone = 0
  /** As much of a header as has come. */
  #header: Buffer = Buffer.alloc(0)
  #type = ''
  /** How many bytes of the frame are still to come. */
  #left = 0

  constructor({ typed }: { typed: boolean }) {
    this.#typed = typed
  }

  expectTypes(): void {
    this.#typed = true
  }

  /** The next frame is a byte. */
  expectByte(): void {
    this.#lone++
  }

  *read(chunk: Buffer): Generator<Part> {
    for (let at = 0; at < chunk.length;) {
      if (this.#left > 0) {
        const bytes = chunk.subarray(at, at + this.#left)
        at += bytes.length
        this.#left -= bytes.length
        yield { type: this.#type, bytes, begins: false, ends: this.#left === 0 }
      } else {
        const size = this.#headerSize()
        const bytes = chunk.subarray(at, at + size - this.#header.length)
        at += bytes.length
        this.#header = Buffer.concat([this.#header, bytes])
        if (this.#header.length === size) yield this.#begin(this.#header)
      }
    }
  }

  #headerSize(): number {
    if (this.#lone > 0) return 1
    return this.#typed ? headerSize : headerSize - 1
  }

  #begin(header: Buffer): Part {
    this.#header = Buffer.alloc(0)
    this.#type = header.length === headerSize ? header.toString('latin1', 0, 1) : ''
    if (this.#lone > 0) this.#lone--
    else this.#left = Math.max(0, header.readUInt32BE(header.length - 4) - 4)
    return { type: this.#type, bytes: header, begins: true, ends: this.#left === 0 }
  }
}

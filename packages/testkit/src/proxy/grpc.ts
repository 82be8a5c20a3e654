import type { Framing } from './framing.ts'

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'.length
const frameHeader = 9
const messageHeader = 5
const frames = { data: 0x0, headers: 0x1, continuation: 0x9 }

/**
 * The path of etcd's streams of notifications, as a client may write it: as it is, or in HPACK's Huffman code, behind
 * its length. A client that puts paths into the table of its connection writes this out once, like any other.
 */
const watch = [
  Buffer.from('/etcdserverpb.Watch/Watch'),
  Buffer.from('9260a924882d9dcb6571afc86924ec721a493f', 'hex'),
] as const

/** Calls of gRPC over HTTP/2: each message of a client's is a request, on whichever stream. */
export class GrpcRequests implements Framing {
  listens = false
  #skipped = 0
  /** As much of a frame's header as has come. */
  #header: Buffer = Buffer.alloc(0)
  /** How many bytes of the frame are still to come. */
  #left = 0
  #type = frames.data
  #stream = 0
  /** The block of headers, while it comes: it may be spread over frames and chunks. */
  #block: Buffer = Buffer.alloc(0)
  /** By stream that is within a message: as much of its header as has come, or how many bytes are still to come. */
  readonly #messages = new Map<number, { header: Buffer; left: number }>()

  read(chunk: Buffer): number {
    let requests = 0
    let at = Math.min(chunk.length, preface - this.#skipped)
    this.#skipped += at
    while (at < chunk.length) {
      if (this.#left === 0) {
        at = this.#readFrameHeader(chunk, at)
      } else {
        const to = Math.min(chunk.length, at + this.#left)
        this.#left -= to - at
        requests += this.#readPayload(chunk.subarray(at, to))
        at = to
      }
    }
    return requests
  }

  #readFrameHeader(chunk: Buffer, from: number): number {
    const to = Math.min(chunk.length, from + frameHeader - this.#header.length)
    this.#header = Buffer.concat([this.#header, chunk.subarray(from, to)])
    if (this.#header.length === frameHeader) {
      this.#left = this.#header.readUIntBE(0, 3)
      this.#type = this.#header.readUInt8(3)
      this.#stream = this.#header.readUInt32BE(5) & 0x7fff_ffff
      this.#header = Buffer.alloc(0)
      if (this.#type !== frames.continuation) this.#block = Buffer.alloc(0)
    }
    return to
  }

  #readPayload(bytes: Buffer): number {
    if (this.#type === frames.data) return this.#readMessages(bytes)
    if (!this.listens && (this.#type === frames.headers || this.#type === frames.continuation)) {
      this.#block = Buffer.concat([this.#block, bytes])
      this.listens = watch.some((path) => this.#block.includes(path))
    }
    return 0
  }

  #readMessages(bytes: Buffer): number {
    let requests = 0
    let { header, left } = this.#messages.get(this.#stream) ?? { header: Buffer.alloc(0), left: 0 }
    for (let at = 0; at < bytes.length;) {
      const isHeader = header.length < messageHeader
      const to = Math.min(bytes.length, at + (isHeader ? messageHeader - header.length : left))
      if (isHeader) {
        header = Buffer.concat([header, bytes.subarray(at, to)])
        if (header.length === messageHeader) left = header.readUInt32BE(1)
      } else {
        left -= to - at
      }
      at = to
      if (header.length === messageHeader && left === 0) {
        requests++
        header = Buffer.alloc(0)
      }
    }
    if (header.length > 0) this.#messages.set(this.#stream, { header, left })
    else this.#messages.delete(this.#stream)
    return requests
  }
}

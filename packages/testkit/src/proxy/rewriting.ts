/** Replaces one text by another of equal length in a stream that comes in pieces. */
export class Rewriting {
  readonly #from: Buffer
  readonly #to: Buffer
  /** The bytes that came last, where `from` may begin with them. */
  #kept: Buffer = Buffer.alloc(0)

  /** `from` has no line break: an answer, which ends in one, is thus never kept waiting for bytes that do not come. */
  constructor(from: string, to: string) {
    this.#from = Buffer.from(from)
    this.#to = Buffer.from(to)
    if (this.#from.length === 0 || this.#from.length !== this.#to.length || from.includes('\n')) {
      throw new RangeError('a text without line breaks is replaced by one of equal length')
    }
  }

  /** What can be passed on of what has come; all of it if this is the end of the stream. */
  pass(chunk: Buffer, { last = false } = {}): Buffer {
    const bytes = Buffer.concat([this.#kept, chunk])
    let after = 0
    for (let at = bytes.indexOf(this.#from); at >= 0; at = bytes.indexOf(this.#from, after)) {
      this.#to.copy(bytes, at)
      after = at + this.#from.length
    }
    const end = bytes.length - (last ? 0 : this.#beginning(bytes.subarray(after)))
    this.#kept = bytes.subarray(end)
    return bytes.subarray(0, end)
  }

  /** How many of the last bytes `from` may begin with. */
  #beginning(bytes: Buffer): number {
    let length = Math.min(bytes.length, this.#from.length - 1)
    while (!bytes.subarray(bytes.length - length).equals(this.#from.subarray(0, length))) length--
    return length
  }
}

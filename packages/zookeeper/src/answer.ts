export interface Stat {
  /** The transaction that made the node. */
  readonly czxid: bigint
  /** The one that last wrote its data: the one that made it, if none has since. */
  readonly mzxid: bigint
  /** The one that last added or removed a child. */
  readonly pzxid: bigint
  readonly ctime: number
  readonly mtime: number
  /** How often its data has been written since it was made. */
  readonly version: number
}

/**
 * An answer, read from its beginning to its end. The driver reads as well, but makes a buffer for every number: where a
 * thousand wait for one name, that is most of what this process would do.
 */
export class Answer {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  int(): number {
    this.#at += 4
    return this.#bytes.readInt32BE(this.#at - 4)
  }

  long(): bigint {
    this.#at += 8
    return this.#bytes.readBigInt64BE(this.#at - 8)
  }

  boolean(): boolean {
    this.#at += 1
    return this.#bytes.readUInt8(this.#at - 1) !== 0
  }

  /** So many bytes as come before them as a number; a negative one stands for none. */
  buffer(): Buffer {
    const length = Math.max(0, this.int())
    const end = this.#at + length
    if (end > this.#bytes.length) throw new RangeError('the answer ends too early')
    const found = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return found
  }

  text(): string {
    return this.buffer().toString()
  }

  texts(): string[] {
    const texts: string[] = []
    for (let left = this.int(); left > 0; left--) texts.push(this.text())
    return texts
  }

  stat(): Stat {
    const [czxid, mzxid] = [this.long(), this.long()]
    const [ctime, mtime] = [Number(this.long()), Number(this.long())]
    const version = this.int()
    // The versions of its children and its ACL, whose it is, how much data and how many children it has.
    this.#at += 4 + 4 + 8 + 4 + 4
    return { czxid, mzxid, ctime, mtime, version, pzxid: this.long() }
  }
}

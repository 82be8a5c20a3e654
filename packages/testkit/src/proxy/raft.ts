import type { Framing } from './framing.ts'

const longestHead = 4 * 1024

/**
 * What members of an etcd cluster send each other, over HTTP/1.1. Each connection of the raft protocol says in its first
 * request which member it comes from; that is all that is read of it, and nothing is counted.
 */
export class RaftPeer implements Framing {
  readonly listens = false
  sender: string | undefined
  /** Of the first request, until it has been read. */
  #head: string | undefined = ''

  read(chunk: Buffer): number {
    if (this.#head === undefined) return 0
    this.#head += chunk.toString('latin1', 0, longestHead)
    this.sender = /^x-server-from: *(\S+)\r$/im.exec(this.#head)?.[1]
    if (this.sender !== undefined || this.#head.includes('\r\n\r\n') || this.#head.length > longestHead) {
      this.#head = undefined
    }
    return 0
  }
}

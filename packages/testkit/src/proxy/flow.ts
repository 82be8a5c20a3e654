import type { Socket } from 'node:net'

/** What becomes of what has arrived: it is passed on, kept for later, or lost. */
export type Gate = 'open' | 'held' | 'lossy'

/** Bytes, or how the stream ended: in order, or by a reset. */
type Item = Buffer | 'end' | 'reset'

/** While more bytes than this wait for a slow sink, no more are read. */
const highWater = 256 * 1024

/** One direction of a connection: what arrives waits in line for its time, for the gate and for the sink. */
export class Flow {
  /** Whether anything was lost at the gate. */
  lost = false
  readonly #latency: () => number
  readonly #queue: { readonly item: Item; readonly due: number }[] = []
  #waiting = 0
  #gate: Gate = 'held'
  #source: Socket | undefined
  #sink: Socket | undefined
  #timer: NodeJS.Timeout | undefined
  #finished = false

  /** `latency`: how long, ms, whatever arrives now is under way. */
  constructor(latency: () => number) {
    this.#latency = latency
  }

  /** How `source` ends is pushed here; `read` pushes its bytes. */
  from(source: Socket, read: (chunk: Buffer) => void): void {
    this.#source = source
    source.on('data', read)
    source.on('end', () => this.push('end'))
    source.on('error', () => {}) // 'close' tells the same
    source.on('close', (failed: boolean) => {
      if (failed || !source.readableEnded) this.push('reset')
    })
  }

  to(sink: Socket): void {
    this.#sink = sink
    sink.on('drain', () => this.#pass())
    this.#pass()
  }

  set gate(gate: Gate) {
    this.#gate = gate
    this.#pass()
  }

  push(item: Item): void {
    if (this.#finished) return
    this.#queue.push({ item, due: performance.now() + this.#latency() })
    this.#waiting += sizeOf(item)
    this.#pass()
  }

  /** Lets the stream end after what has arrived, whatever its source does. */
  finish(how: 'end' | 'reset'): void {
    this.push(how)
    this.#finished = true
  }

  #pass(): void {
    clearTimeout(this.#timer)
    for (let first = this.#queue[0]; first && this.#isPassing(); first = this.#queue[0]) {
      const early = first.due - performance.now()
      if (early > 0) {
        this.#timer = setTimeout(() => this.#pass(), early)
        break
      }
      this.#queue.shift()
      this.#waiting -= sizeOf(first.item)
      if (this.#gate === 'open') this.#deliver(first.item)
      else this.lost = true
    }
    // What the gate holds is read all the same: it may have to be counted.
    if (this.#gate !== 'held' && this.#waiting > highWater) this.#source?.pause()
    else this.#source?.resume()
  }

  #isPassing(): boolean {
    if (this.#gate === 'open') return this.#sink?.writableNeedDrain === false
    return this.#gate === 'lossy'
  }

  #deliver(item: Item): void {
    const sink = this.#sink
    if (!sink || sink.destroyed) return
    if (item === 'end') sink.end()
    else if (item !== 'reset') sink.write(item)
    // Not before the bytes ahead of it have left.
    else if (sink.writableLength > 0) sink.write('', () => reset(sink))
    else reset(sink)
  }
}

/** Ends a socket by RST, at once. */
export function reset(socket: Socket): void {
  if (socket.connecting) socket.destroy()
  else if (!socket.destroyed) socket.resetAndDestroy()
}

function sizeOf(item: Item): number {
  return typeof item === 'string' ? 0 : item.length
}

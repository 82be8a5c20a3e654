import type { Clock, Random, Timer } from '@locks/core/backend'
import type { IDuplexStream, IEvent, IWatchRequest, IWatchResponse } from 'etcd3'
import type { Range } from './keys.ts'
import type { Members } from './members.ts'

export interface Watcher {
  /** All events of one or more revisions, in order. */
  readonly heard: (events: readonly IEvent[]) => void
  /** Events have been lost with what the store has compacted, up to this revision; the watch is over. */
  readonly lost: (compacted: bigint) => void
  /** It goes on, on another stream. */
  readonly remade?: () => void
}

interface Watch extends Watcher {
  readonly range: Range
  /** The first revision that it has not heard of. */
  next: bigint
  /** The events of a revision that comes in parts. */
  parts: IEvent[]
  /** Whether a stream has had it before. */
  made: boolean
}

export interface WatchesOptions {
  readonly clock: Clock
  readonly random: Random
  /** Of connections that carry nothing else: whatever waits for news is never in the way of a renewal. */
  readonly members: Members
}

type Stream = IDuplexStream<IWatchRequest, IWatchResponse>

/**
 * All watches of a session, on one stream. When that fails there is another, which begins where each watch had come to, so
 * nothing is lost but what the store has compacted meanwhile.
 */
export class Watches {
  readonly #options: WatchesOptions
  readonly #watches = new Map<string, Watch>()
  #serial = 0
  #stream: Stream | undefined
  #opening = false
  #failures = 0
  #timer: Timer | undefined
  #closed = false
  /** How many messages have come. */
  heard = 0

  constructor(options: WatchesOptions) {
    this.#options = options
  }

  /** Watches from this revision on, until the function that it returns is called. */
  watch(range: Range, from: bigint, watcher: Watcher): () => void {
    const id = String(++this.#serial)
    const watch: Watch = { ...watcher, range, next: from, parts: [], made: false }
    this.#watches.set(id, watch)
    if (this.#stream) create(this.#stream, id, watch)
    else this.#open()
    return () => {
      if (this.#watches.delete(id)) this.#stream?.write({ cancel_request: { watch_id: id } })
    }
  }

  /** Gives the stream up for another, at another member. */
  restart(): void {
    const stream = this.#stream
    if (stream) this.#failed(stream)
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    this.#watches.clear()
    this.#stream?.cancel()
  }

  #open(): void {
    if (this.#opening || this.#closed || this.#timer) return
    this.#opening = true
    this.#connect()
      .catch(() => this.#again())
      .finally(() => (this.#opening = false))
  }

  async #connect(): Promise<void> {
    const stream = await this.#options.members.current.watchClient.watch()
    stream.on('data', (message) => this.#hear(stream, message))
    // Of a stream that has been given up it is nobody's concern any more.
    stream.on('error', () => this.#failed(stream))
    stream.on('end', () => this.#failed(stream))
    if (this.#closed) return stream.cancel()
    this.#stream = stream
    for (const [id, watch] of this.#watches) create(stream, id, watch)
  }

  #failed(stream: Stream): void {
    if (this.#stream !== stream) return
    this.#stream = undefined
    stream.cancel()
    this.#again()
  }

  #again(): void {
    if (this.#closed) return
    const { clock, random, members } = this.#options
    members.next()
    const delay = Math.min(1_000, 20 * 2 ** this.#failures++) * (0.5 + random.unit() / 2)
    this.#timer = clock.after(delay, () => {
      this.#timer = undefined
      this.#open()
    })
  }

  #hear(stream: Stream, message: IWatchResponse): void {
    if (this.#stream !== stream) return
    this.heard++
    const { watch_id: id, canceled, compact_revision: compacted, fragment, events } = message
    const watch = this.#watches.get(id)
    if (canceled && Number(compacted) > 0) {
      this.#watches.delete(id)
      watch?.lost(BigInt(compacted))
    } else if (canceled && (watch || message.created)) {
      // One that was not permitted has no id of its own: maybe the token is too old.
      this.#failed(stream)
    } else if (message.created) {
      this.#failures = 0
      if (watch?.made) watch.remade?.()
      else if (watch) watch.made = true
    } else if (watch) {
      watch.parts.push(...events)
      if (!fragment) deliver(watch)
    }
  }
}

function create(stream: Stream, id: string, watch: Watch): void {
  const { range, next } = watch
  // Of a revision that has come in part, all comes again.
  watch.parts = []
  stream.write({ create_request: { ...range, start_revision: String(next), watch_id: id, fragment: true } })
}

function deliver(watch: Watch): void {
  const events = watch.parts
  watch.parts = []
  const last = events.at(-1)
  if (!last) return
  watch.next = BigInt(last.kv.mod_revision) + 1n
  watch.heard(events)
}

import type { Cluster, Redis } from 'ioredis'
import { socketOf } from './connect.ts'
import { Deadlines } from './deadlines.ts'
import { codeOf, failureOf, unavailable } from './failures.ts'
import type { RedisClient } from './options.ts'
import { Reconnects } from './reconnects.ts'
import { script, scriptsFor, type Script, type Scripts, type ScriptSettings } from './scripts.ts'
import type { Clock, LockError } from '@locks/core/backend'

export interface ServerOptions extends ScriptSettings {
  readonly clock: Clock
  /** Milliseconds that any call may take. */
  readonly patience: number
  /** Nothing has been answered for so long. */
  readonly silent: () => void
  readonly acknowledge: number
  readonly acknowledgeTimeout: number
  readonly restartGrace: boolean
}

type Args = readonly (string | number)[]

export interface Answer {
  readonly reply: unknown
  readonly safe: boolean
}

/** What runs scripts: every call has a deadline, and fails with an error that may be shown. */
export class Server {
  readonly client: RedisClient
  readonly scripts: Scripts
  /** Several keys may go into one script. */
  readonly oneSlot: boolean
  /** Settles when every call has failed for longer than a ttl, without one in which none was made. */
  readonly lost: Promise<LockError>
  readonly #options: ServerOptions
  readonly #deadlines: Deadlines
  readonly #reconnects: Reconnects
  #lose!: (why: LockError) => void
  #answered = false
  #corked = false
  /** The first and the last of the failures since a call was answered. */
  #failing: { readonly since: number; readonly last: number } | undefined

  constructor(client: RedisClient, options: ServerOptions) {
    this.client = client
    this.oneSlot = !client.isCluster
    this.#options = options
    this.scripts = scriptsFor(options)
    this.lost = new Promise((resolve) => (this.#lose = resolve))
    const { clock, patience, silent } = options
    this.#deadlines = new Deadlines({
      clock,
      within: patience,
      silent,
      answered: () => {
        this.#answered = true
        this.#failing = undefined
      },
      failed: (error) => this.#failed(error),
    })
    this.#reconnects = new Reconnects(client)
  }

  /** How often a connection was lost: see {@link Reconnects}. */
  get reconnects(): number {
    return this.#reconnects.count
  }

  get acknowledges(): boolean {
    return this.#options.acknowledge > 0
  }

  /** A script's reply, and whether as many `replicas` as are wanted have what it wrote. */
  run(of: Script, keys: readonly string[], args: Args, replicas = this.#options.acknowledge): Promise<Answer> {
    return this.call(() => {
      // Or an application's client would keep it, and send it when nobody wants it any more.
      if (this.#answered && this.client.status !== 'ready') throw unavailable('the Redis server is not connected')
      this.#cork()
      return replicas > 0 ? this.#runSafely(of, keys, args, replicas) : this.#run(of, keys, args)
    })
  }

  /** A call of the driver, with a deadline. */
  call<T>(what: () => Promise<T>): Promise<T> {
    let answer: Promise<T>
    try {
      answer = what()
    } catch (error) {
      answer = Promise.reject(error as Error)
    }
    return this.#deadlines.add(answer)
  }

  #failed(error: unknown): LockError {
    const { clock, ttl } = this.#options
    const now = clock.now().mono
    const { since, last } = this.#failing ?? { since: now, last: now }
    this.#failing = { since: now - last > ttl ? now : since, last: now }
    const failure = failureOf(error)
    if (now - this.#failing.since > ttl) this.#lose(failure)
    return failure
  }

  /** What is asked for in one tick leaves in one piece for each server, and not in one each: they would answer in between. */
  #cork(): void {
    if (this.#corked) return
    this.#corked = true
    const sockets = this.nodes().flatMap((node) => socketOf(node) ?? [])
    for (const socket of sockets) socket.cork()
    process.nextTick(() => {
      this.#corked = false
      for (const socket of sockets) socket.uncork()
    })
  }

  /** The servers whose settings matter, each as a client of its own. */
  nodes(): readonly Redis[] {
    return this.client.isCluster ? (this.client as Cluster).nodes('all') : [this.client as Redis]
  }

  /** Has every server know the scripts, so that no first call has to be made twice. */
  async load(): Promise<void> {
    // Where that fails, the first calls load them.
    await Promise.allSettled(
      this.#masters().flatMap((node) =>
        Object.values(this.scripts).map(({ text }) => this.call(() => node.script('LOAD', text))),
      ),
    )
  }

  /** Every key that matches, once. */
  async scan(pattern: string): Promise<string[]> {
    // The driver puts its prefix before the keys of commands, and leaves patterns and answers as they are.
    const before = String(this.client.options.keyPrefix ?? '')
    const found = new Set<string>()
    await Promise.all(
      this.#masters().map(async (node) => {
        let cursor = '0'
        do {
          const [next, keys] = await this.call(() => node.scan(cursor, 'MATCH', before + pattern, 'COUNT', 1_000))
          for (const key of keys) found.add(key.slice(before.length))
          cursor = next
        } while (cursor !== '0')
      }),
    )
    return [...found]
  }

  /** Whether a server that says this of itself may have forgotten locks that are still believed in. */
  mayForget(info: string): boolean {
    const { restartGrace, ttl } = this.#options
    // Counted in the seconds that the clock has begun: up to one less.
    const uptime = 1_000 * (Number(fieldOf(info, 'uptime_in_seconds')) - 1)
    return restartGrace && fieldOf(info, 'aof_enabled') !== '1' && uptime < ttl
  }

  end(): void {
    this.#deadlines.end()
    this.#reconnects.end()
  }

  #masters(): readonly Redis[] {
    return this.client.isCluster ? (this.client as Cluster).nodes('master') : [this.client as Redis]
  }

  async #runSafely(of: Script, keys: readonly string[], args: Args, replicas: number): Promise<Answer> {
    // In one pipeline, because the replicas are asked about what this connection has written.
    const first = await this.#runAndWait(of, keys, args, replicas)
    if (first) return first
    // By itself it is loaded, and sent on to where its slot is now. What it does now it finds when it is run again.
    await this.#run(of, keys, args)
    const second = await this.#runAndWait(of, keys, args, replicas)
    if (second) return second
    throw unavailable('the Redis server does not run the script where its keys are; a slot may be on its way')
  }

  /** Nothing if the server does not know the script, or another has the slot: the driver leaves pipelines alone then. */
  async #runAndWait(of: Script, keys: readonly string[], args: Args, replicas: number): Promise<Answer | undefined> {
    const results = await this.client
      .pipeline()
      .evalsha(of.sha, keys.length, ...keys, ...args)
      .wait(replicas, this.#options.acknowledgeTimeout)
      .exec()
    const [[failed, reply] = [], [late, confirmed] = []] = results ?? []
    if (failed && (isUnknown(failed) || isElsewhere(failed))) return undefined
    if (failed) throw failed
    return { reply, safe: !late && Number(confirmed) >= replicas }
  }

  #run(of: Script, keys: readonly string[], args: Args): Promise<Answer> {
    return this.client.evalsha(of.sha, keys.length, ...keys, ...args).then(safely, async (error: unknown) => {
      if (!isUnknown(error)) throw error
      if (this.#grants(of)) await this.#refuseIfFresh(keys[0] ?? '')
      return safely(await this.client.eval(of.text, keys.length, ...keys, ...args))
    })
  }

  #grants(of: Script): boolean {
    return of === this.scripts.acquire || of === this.scripts.acquireSeveral
  }

  /**
   * A server that does not know the script may have been started a moment ago, and have forgotten locks that are still
   * believed in. Everybody finds that out in this way, because nobody loads the script as long as it is so.
   */
  async #refuseIfFresh(key: string): Promise<void> {
    if (!this.mayForget(String(await this.client.eval(infoScript.text, 1, key)))) return
    const why = 'the Redis server was started less than a ttl ago and keeps nothing on disk'
    const grace = 'so nothing is granted yet (restartGrace=false does without, in development)'
    throw unavailable(`${why}: it may have forgotten locks that are still believed in, ${grace}`)
  }
}

const safely = (reply: unknown): Answer => ({ reply, safe: true })

/** On the server that a key belongs to. */
const infoScript = script(`return redis.call('INFO')`)

export function fieldOf(info: string, field: string): string | undefined {
  return new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(info)?.[1]
}

const elsewhere: ReadonlySet<string> = new Set(['MOVED', 'ASK', 'TRYAGAIN', 'CLUSTERDOWN'])
const isElsewhere = (error: unknown) => elsewhere.has(codeOf(error))
const isUnknown = (error: unknown) => codeOf(error) === 'NOSCRIPT'

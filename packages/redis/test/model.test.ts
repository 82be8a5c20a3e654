/**
 * The scripts against a plain model of what they do, at times that the test sets: expiry to the millisecond, the dead
 * wherever they stand, repeated calls in every state. After each step all that is kept of each name is held against
 * the model's entries, so that no count, place or bound can drift from them.
 */
import { createHash } from 'node:crypto'
import { Admission, type Contender, type Request } from '@locks/core/backend'
import { startRedis, type RedisServer } from '@locks/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { batches } from '../src/batches.ts'
import { Keys } from '../src/keys.ts'
import { scriptsFor, type Script } from '../src/scripts.ts'

let server: RedisServer
let redis: Redis
beforeAll(async () => {
  server = await startRedis()
  redis = new Redis(server.url)
})
afterAll(async () => {
  redis.disconnect()
  await server.end()
})

/** What a script takes for Redis: the time and the lives of keys are the test's, and what is published is kept. */
const world = `
local server, time = redis, redis.call('HMGET', 'time', 's', 'us')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, key in ipairs(KEYS) do
  if tonumber(server.call('HGET', 'until', key) or now) <= now then
    server.call('DEL', key)
    server.call('HDEL', 'until', key)
  end
end
local redis = { pcall = redis.pcall }
function redis.call(command, ...)
  local key, value = ...
  if command == 'TIME' then return time end
  if command == 'PUBLISH' then return server.call('RPUSH', 'told', value == '' and '~' .. key or value) end
  if command == 'PTTL' then return (server.call('HGET', 'until', key) or now - 2) - now end
  if command ~= 'PEXPIRE' then return server.call(command, ...) end
  if server.call('EXISTS', key) == 1 then server.call('HSET', 'until', key, now + tonumber(value)) end
end
`

const names = ['a', 'b', 's'] as const
type Name = (typeof names)[number]
const keys = new Keys('locks', 'model')

/** Some remember for less time than others have their entries. */
const clients = [
  { id: 'one', ttl: 1_000, remember: 1_000 },
  { id: 'two', ttl: 1_000, remember: 60_000 },
  { id: 'three', ttl: 5_000, remember: 5_000 },
  { id: 'four', ttl: 20_000, remember: 20_000 },
] as const
type Client = (typeof clients)[number]

interface Held {
  readonly request: Request
  readonly client: Client
  holds: boolean
  expires: number
  /** Once it has been seen to hold. */
  token?: bigint
}

type Standing = 'holds' | 'waits' | 'stolen' | 'gone' | 'forgotten'

/** One name. Who has expired is there until somebody looks. */
class Model {
  entries: Held[] = []
  /** When all that is kept of it ends. */
  until = 0
  /** The highest token so far. */
  token = 0n
  readonly told: string[] = []
  readonly #watched: string
  readonly #robbed = new Map<string, number>()

  constructor(name: Name) {
    this.#watched = `~${keys.channel(name)}`
  }

  /** Nothing happens between two calls but that time goes by. */
  age(now: number): void {
    if (this.until > now) return
    this.entries = []
    this.#robbed.clear()
  }

  acquire(request: Request, client: Client, now: number): number {
    const own = this.#alive(request.id, now)
    if (own) {
      own.expires = now + client.ttl
      return own.holds ? 1 : 0
    }
    this.#drop(request.id)
    this.#settle(now)
    if (this.entries.some((other) => other.request.permits !== request.permits)) return -2
    const free = this.#waiters.length === 0 && this.#admission().admits(request)
    if (!free && !request.steal && !request.wait) return -1
    if (request.steal) this.#rob()
    const holds = free || request.steal
    this.entries.push({ request, client, holds, expires: now + client.ttl })
    if (holds) this.#announce(request)
    if (request.steal) this.#settle(now)
    return holds ? 1 : 0
  }

  renew(ids: readonly string[], client: Client, now: number): Standing[] {
    const before = this.entries.length
    const standings = ids.map((id): Standing => {
      const own = this.#alive(id, now)
      if (own) own.expires = now + client.ttl
      else this.#drop(id)
      if (own) return own.holds ? 'holds' : 'waits'
      const until = this.#robbed.get(id)
      this.#robbed.delete(id)
      if (until === undefined) return 'gone'
      return Math.min(until, this.until) > now ? 'stolen' : 'forgotten'
    })
    if (standings.includes('waits') || this.entries.length < before) this.#look(now)
    return standings
  }

  remove(ids: readonly string[], now: number): number[] {
    const found = ids.map((id) => {
      const there = this.#drop(id)
      if (!there) this.#robbed.delete(id)
      return there ? 1 : 0
    })
    if (found.includes(1)) this.#look(now)
    return found
  }

  get waits(): boolean {
    return this.#waiters.length > 0
  }

  get soonest(): number {
    return Math.min(...this.entries.map(({ expires }) => expires))
  }

  get #waiters(): Held[] {
    return this.entries.filter(({ holds }) => !holds)
  }

  #alive(id: string, now: number): Held | undefined {
    return this.entries.find(({ request, expires }) => request.id === id && expires > now)
  }

  #drop(id: string): boolean {
    const own = this.entries.find(({ request }) => request.id === id)
    this.entries = this.entries.filter((entry) => entry !== own)
    if (own?.holds) this.#announce(own.request)
    return own !== undefined
  }

  /** Once a call, however much it changes. */
  #announce({ value }: Request): void {
    if (value !== undefined && !this.told.includes(this.#watched)) this.told.push(this.#watched)
  }

  #rob(): void {
    for (const { request, holds, expires } of this.entries) {
      if (!holds) continue
      this.#drop(request.id)
      this.#robbed.set(request.id, expires)
      this.told.push(`-${request.id}`)
    }
  }

  #admission(): Admission {
    const admission = new Admission()
    for (const { request, holds } of this.entries) if (holds) admission.take(request)
    return admission
  }

  /** Only on behalf of those who wait. */
  #look(now: number): void {
    if (this.#waiters.length > 0) this.#settle(now)
  }

  #settle(now: number): void {
    for (const { request, expires } of this.entries) if (expires <= now) this.#drop(request.id)
    const admission = this.#admission()
    for (const entry of this.#waiters) {
      if (!admission.admits(entry.request)) return
      admission.take(entry.request)
      entry.holds = true
      this.told.push(`+${entry.request.id}`)
      this.#announce(entry.request)
    }
  }
}

const seeds = Array.from({ length: 12 }, (_, seed) => seed)

test.for(seeds)('the scripts do what the model does, seed %i', async (seed) => {
  await redis.flushall()
  const below = seeded(seed)
  const models = new Map(names.map((name) => [name, new Model(name)]))
  const modelOf = (name: string | undefined) => models.get(name as Name) as Model
  const requests = new Map<Client, Request[]>(clients.map((client) => [client, []]))
  let now = 1_800_000_000_000
  for (let step = 0; step < 800; step++) {
    now += pause(below, now, [...models.values()])
    for (const model of models.values()) model.age(now)
    const client = pick(below, clients)
    const own = requests.get(client) as Request[]
    const turn = below(10)
    const where = `step ${step}: ${client.id}, turn ${turn}`
    const call = (script: Script, to: readonly string[], args: Args) => runAt(now, script, to, [client.id, ...args])
    const scripts = scriptsFor({ channels: keys.channels, ...client })
    const stamp = `${step}:0`

    let ran: Ran
    let answer: unknown
    let expected: unknown
    /** When to look, by name, where the answer says so. */
    let looks: (readonly [Model, number])[] = []
    if (turn === 4) {
      const several = names.map((name) => plainRequest(below, name, `${seed}-${step}-${name}`))
      own.push(...several)
      expected = several.map((request) => modelOf(request.names[0]).acquire(request, client, now))
      const wishes = several.flatMap((request) => {
        const [id = '', , how = ''] = wishOf(request)
        return [id, how]
      })
      const to = names.map((name) => keys.key(name))
      ran = await call(scripts.acquireSeveral, to, [stamp, '', 'label', ...wishes])
      const answers = (ran.reply as (string | number[])[]).slice(0, names.length)
      answer = answers.map((each) => (Array.isArray(each) ? each[0] : 1))
      looks = answers.flatMap((each, at) => {
        return Array.isArray(each) && each[0] === 0 ? [[modelOf(names[at]), each[1] ?? 0] as const] : []
      })
    } else if (turn < 4 || own.length === 0) {
      // Now and then again, in whatever state it is.
      const request = turn === 0 && own.length > 0 ? pick(below, own) : requestOf(below, `${seed}-${step}`)
      if (!own.includes(request)) own.push(request)
      const model = modelOf(request.names[0])
      expected = model.acquire(request, client, now)
      ran = await call(scripts.acquire, [keys.key(request.names[0] ?? '')], [stamp, ...wishOf(request)])
      const [code, about] = Array.isArray(ran.reply) ? (ran.reply as number[]) : [1]
      answer = code
      if (code === 0) looks = [[model, about ?? 0]]
    } else {
      const some = own.filter(() => turn === 5 || below(3) === 0)
      const [batch] = batches(some, keys, true)
      if (!batch) continue
      const idsOf = (name: string) => some.filter((claim) => claim.names[0] === name).map(({ id }) => id)
      if (turn < 8) {
        const standings = batch.names.flatMap((name) => modelOf(name).renew(idsOf(name), client, now))
        ran = await call(scripts.renew, batch.keys, [stamp, ...batch.args])
        const [numbers, lefts] = ran.reply as [number[], number[]]
        answer = numbers.map((number, at) => standingOf(number, standings[at]))
        expected = standings
        looks = batch.names.map((name, at) => [modelOf(name), lefts[at] ?? 0])
      } else {
        expected = batch.names.flatMap((name) => modelOf(name).remove(idsOf(name), now))
        ran = await call(scripts.remove, batch.keys, batch.args)
        answer = Array.isArray(ran.reply) ? (ran.reply as [number[]])[0] : batch.ids.map(() => 1)
        // A few are removed, renewed and asked for again.
        const kept = own.filter((request) => !some.includes(request) || below(8) === 0)
        requests.set(client, kept)
      }
    }
    expect(answer, `${where}: the answer`).toEqual(expected)
    for (const [model, left] of looks) {
      if (left < 0) expect(model.waits, `${where}: no look`).toBe(false)
      else expect(now + left, `${where}: too late a look`).toBeLessThanOrEqual(Math.max(now, model.soonest))
    }
    const told = [...models.values()].flatMap((model) => model.told.splice(0))
    expect(ran.told.toSorted(), `${where}: the news`).toEqual(told.toSorted())
    for (const [at, [, model]] of [...models].entries()) check(ran.kept[at] as Kept, model, now, where)
  }
})

type Below = (limit: number) => number

/** The same numbers for the same seed. */
function seeded(seed: number): Below {
  let draws = 0
  let pool = Buffer.alloc(0)
  return (limit) => {
    const at = (draws++ * 4) % 32
    if (at === 0) pool = createHash('sha256').update(`${seed}:${draws}`).digest()
    return pool.readUInt32BE(at) % limit
  }
}

const pick = <T>(below: Below, from: readonly T[]): T => from[below(from.length)] as T

/** Mostly a moment; else until somebody expires, to the millisecond or one off; or long. */
function pause(below: Below, now: number, models: readonly Model[]): number {
  const kind = below(30)
  if (kind > 3) return below(4) * below(60)
  const ends = models.flatMap(({ entries }) => entries.map(({ expires }) => expires))
  if (kind > 0 && ends.length > 0) return Math.max(0, pick(below, ends) - now + below(3) - 1)
  return below(30) === 0 ? 500_000 : below(1_500)
}

function requestOf(below: Below, id: string): Request {
  const name = pick(below, names)
  // Seldom of another kind than others of the name.
  const isPermit = (name === 's') !== (below(25) === 0)
  const kind: Contender = isPermit
    ? { mode: 'permit', permits: below(25) === 0 ? 5 : 4, weight: 1 + below(4) }
    : { mode: pick(below, ['exclusive', 'shared']) }
  const led = kind.mode === 'exclusive' && below(2) === 0
  const value = led ? pick(below, ['', `of ${id}`]) : undefined
  return { id, names: [name], ...kind, wait: below(5) > 0, steal: below(15) === 0, value }
}

/** As it goes into one call with others. */
function plainRequest(below: Below, name: Name, id: string): Request {
  return { id, names: [name], mode: 'exclusive', wait: below(5) > 0, steal: below(15) === 0 }
}

function wishOf({ id, mode, weight = 1, permits = 0, wait, steal, value }: Request): Args {
  const how = `${mode[0]}${wait ? 1 : 0}${steal ? 1 : 0}`
  return [id, 'label', how, '', weight, permits, ...(value === undefined ? [] : [value])]
}

/** After it would have expired, a stolen entry may be remembered as such or not. */
function standingOf(number: number, expected: Standing | undefined): Standing {
  if (number >= 0) return number > 0 ? 'holds' : 'waits'
  if (expected === 'forgotten') return expected
  return number === -2 ? 'stolen' : 'gone'
}

type Args = readonly (string | number)[]
type Hash = Readonly<Record<string, string>>

/** All that is kept of a name, and until when. */
interface Kept {
  readonly hash: Hash
  readonly until: number
}

interface Ran {
  readonly reply: unknown
  /** Others and the caller: whose entry was granted or stolen; and the channels of names. */
  readonly told: readonly string[]
  /** In the order of the names. */
  readonly kept: readonly Kept[]
}

async function runAt(now: number, { text }: Script, to: readonly string[], args: Args): Promise<Ran> {
  const pipeline = redis
    .pipeline()
    .hset('time', { s: Math.floor(now / 1_000), us: (now % 1_000) * 1_000 })
    .eval(world + text, to.length, ...to, ...args)
    .lrange('told', 0, -1)
    .del('told')
    .hgetall('until')
  for (const name of names) pipeline.hgetall(keys.key(name))
  const results = (await pipeline.exec()) ?? []
  for (const [error] of results) if (error) throw error
  const [, reply, published, , untils, ...hashes] = results.map(([, result]) => result)
  const own = Array.isArray(reply) ? (reply.at(-1) as string) : ''
  const news = [...(published as string[]), own].join('\n')
  const kept = names.map((name, at) => {
    return { hash: hashes[at] as Hash, until: Number((untils as Hash)[keys.key(name)] ?? 0) }
  })
  return { reply, told: news.match(/^[+~-]\S+/gm) ?? [], kept }
}

/** What is kept of a name are the model's entries in their order, and nothing that contradicts them. */
function check({ hash, until }: Kept, model: Model, now: number, where: string): void {
  const { entries } = model
  const ends = Math.max(0, ...entries.map(({ expires }) => expires))
  expect(until, `${where}: the key ends before an entry`).toBeGreaterThanOrEqual(ends)
  model.until = until
  // It ended some time ago, and nobody has asked since.
  if (until <= now) return

  const found = Object.entries(hash).flatMap(([field, record]) => {
    if (!field.startsWith('#')) return []
    const [state, mode, weight, number = '', , client] = record.split(' ')
    const id = field.slice(1)
    const expires = Number.parseInt(hash[`=${id}`] ?? '', 10)
    return [{ number, entry: { id, client, holds: state === 'h', mode, weight: Number(weight), expires } }]
  })
  const holders = found.filter(({ entry }) => entry.holds)
  const waiters = found.filter(({ entry }) => !entry.holds).toSorted((a, b) => Number(a.number) - Number(b.number))
  const wanted = entries.map(({ request: { id, mode, weight = 1 }, client, holds, expires }) => {
    return { id, client: client.id, holds, mode: mode[0], weight, expires }
  })
  expect(
    waiters.map(({ entry }) => entry),
    `${where}: who waits`,
  ).toEqual(wanted.filter(({ holds }) => !holds))
  expect(new Set(holders.map(({ entry }) => entry)), `${where}: who holds`).toEqual(
    new Set(wanted.filter(({ holds }) => holds)),
  )

  const { t = '0', n, w = n, m = 'e', l = '0', x = '0', c = '0', h = '1', q = '0' } = hash
  const places = Object.entries(hash).filter(([field]) => /^\d+$/.test(field))
  expect(new Map(places), `${where}: the places`).toEqual(
    new Map(waiters.map(({ number, entry }) => [number, entry.id])),
  )
  const values = Object.entries(hash).filter(([field]) => field.startsWith('$'))
  expect(new Map(values), `${where}: the values`).toEqual(
    new Map(entries.flatMap(({ request: { id, value } }) => (value === undefined ? [] : [[`$${id}`, value]]))),
  )
  const weight = holders.reduce((total, { entry }) => total + entry.weight, 0)
  const [first] = entries
  const counts = first ? { n: `${holders.length}`, w: `${weight}`, c: `${waiters.length}` } : { c: '0' }
  expect({ n, w, c }, `${where}: the counts`).toEqual(counts)
  if (first) expect(Number(l), `${where}: the limit`).toBe(first.request.permits ?? 0)
  if (holders[0]) expect(m, `${where}: the mode`).toBe(holders[0].entry.mode)
  if (waiters[0]) expect(Number(h), `${where}: the first place`).toBeLessThanOrEqual(Number(waiters[0].number))
  expect(Number(q), `${where}: the last place`).toBeGreaterThanOrEqual(
    Math.max(0, ...waiters.map(({ number }) => Number(number))),
  )
  expect(Number(x), `${where}: somebody expires sooner`).toBeLessThanOrEqual(model.soonest)

  const tokens = new Map(holders.map(({ number, entry }) => [entry.id, BigInt(number)]))
  const before = model.token
  for (const entry of entries) {
    const token = tokens.get(entry.request.id)
    if (token === undefined) continue
    if (entry.token === undefined) expect(token > before, `${where}: an old token`).toBe(true)
    else expect(token, `${where}: another token`).toBe(entry.token)
    entry.token = token
    if (token > model.token) model.token = token
  }
  expect(new Set(tokens.values()).size, `${where}: the tokens`).toBe(tokens.size)
  if (first) expect(BigInt(t), `${where}: the last token`).toBeGreaterThanOrEqual(model.token)
}

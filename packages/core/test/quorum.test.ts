import { LockManager, openLocks, type LockEvents, type ManagerOptions } from '@locks/core'
import { encodeName, LockError, type Backend } from '@locks/core/backend'
import { memoryHarness, wired, type Wire } from '@locks/core/conformance'
import { memory } from '@locks/core/memory'
import { quorum } from '@locks/core/quorum'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { altered } from './museum/boundary.ts'

const ttl = 1_500
const opened: LockManager[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map((locks) => locks.close()))
})

function open(backend: Backend, options: ManagerOptions = {}): LockManager {
  const locks = new LockManager(backend, { ttl, ...options })
  opened.push(locks)
  return locks
}

interface Client {
  readonly locks: LockManager
  readonly wires: readonly [Wire, Wire, Wire, ...Wire[]]
}

/** A client with a line of its own to each node. */
function client(nodes: readonly Backend[], options?: ManagerOptions): Client {
  const lines = nodes.map((node) => wired(node))
  const wires = lines.map(({ wire }) => wire) as unknown as Client['wires']
  return { locks: open(quorum(lines.map(({ backend }) => backend)), options), wires }
}

const three = () => [memory(), memory(), memory()]

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 10_000; !(await condition()); await pause(5)) {
    if (performance.now() > end) expect.unreachable(`waited in vain until ${what}`)
  }
}

/** How many hold and wait at a node, as a client of its own sees it. */
async function at(node: Backend, name: string): Promise<{ held: number; pending: number }> {
  const { held, pending } = await open(node).query(name)
  return { held: held.length, pending: pending.length }
}

describe('the nodes of a quorum', () => {
  test('are three or more, an odd number of them, and different ones', () => {
    const one = memory()
    expect(() => quorum([])).toThrow(/odd number of nodes, three or more; got 0/)
    expect(() => quorum([one])).toThrow(/got 1: with fewer than three/)
    expect(() => quorum([memory(), memory(), memory(), memory()])).toThrow(/got 4: one more than an odd number/)
    expect(() => quorum([one, one, memory()])).toThrow(/must be different/)
    expect(() => quorum('redis://a' as never)).toThrow(/takes a list of backends/)
  })

  test('make the promises that the weakest of them makes', () => {
    const weak = memory()
    const limits = { ...weak.capabilities, shared: false, ttl: { min: 2_000, max: 5_000 }, raises: false }
    const { capabilities } = quorum([memory(), { ...weak, capabilities: limits }, memory()])
    expect(capabilities).toMatchObject({ shared: false, fencing: 'none', ttl: { min: 2_000, max: 5_000 } })
    const other = { ...weak, capabilities: { ...weak.capabilities, ttl: { min: 6_000, max: 7_000 } } }
    expect(() => quorum([memory(), { ...weak, capabilities: limits }, other])).toThrow(/a ttl in common/)
  })

  test('are named in a URL, encoded', async () => {
    const urls = ['memory:quorum-a?', 'memory:quorum%20b', 'memory:quorum-c']
    const url = `quorum:?${urls.map((each) => `node=${encodeURIComponent(each)}`).join('&')}`
    const [a, b] = [await openLocks(url, { ttl }), await openLocks(url, { ttl })]
    opened.push(a, b)
    const lock = await a.acquire('one')
    expect(await b.tryAcquire('one')).toBeNull()
    for (const each of urls) {
      const node = await openLocks(each)
      opened.push(node)
      expect((await node.query('one')).held).toHaveLength(1)
    }
    await lock.release()
    expect(await b.tryAcquire('one')).not.toBeNull()
  })

  test.each([
    ['quorum://user:secret@host', /names its nodes behind the question mark/],
    ['quorum:?node=memory:a&node=memory:b', /got 2/],
    ['quorum:?node=redis://:secret@a?x=1&y=secret', /unknown option "y"/],
    ['quorum:?node=%secret', /node 1 of this quorum: URL is wrongly percent-encoded/],
    ['quorum:?node=secret&node=secret&node=secret', /must look like/],
  ])('are refused without a word of their URL: %s', async (url, message) => {
    const error = (await openLocks(url).catch((each: unknown) => each)) as Error
    expect(error.message).toMatch(message)
    expect(error.message).not.toContain('secret')
  })

  test('may be fewer than all when it opens, and a minority is refused', async () => {
    const { locks, wires } = client(three(), { connectTimeout: 500 })
    await wires[0].silence()
    await locks.connect()
    expect((await locks.acquire('one')).held).toBe(true)
    const alone = client(three(), { connectTimeout: 500 })
    await alone.wires[0].cut()
    await alone.wires[1].silence()
    await expect(alone.locks.connect()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})

describe('a node that refuses for good', () => {
  const refusing = (): Backend => {
    const open = () => Promise.reject(new LockError('INVALID_ARGUMENT', 'a wrong password'))
    return { ...memory(), open }
  }

  test('is warned of, and the others do without it', async () => {
    const warnings: unknown[] = []
    const note = (warning: unknown) => warnings.push(warning)
    subscribe('locks:warning', note)
    const locks = open(quorum([memory(), refusing(), memory()]))
    expect((await locks.acquire('one')).held).toBe(true)
    await until('it is warned of', () => warnings.length > 0)
    unsubscribe('locks:warning', note)
    expect(warnings).toEqual([{ code: 'QUORUM_NODE', message: 'node 2 of 3 is of no use: a wrong password' }])
  })

  test('is told of as the reason where too few are left', async () => {
    const locks = open(quorum([memory(), refusing(), refusing()]))
    await expect(locks.connect()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: 'a wrong password' })
  })
})

describe('with a node that', () => {
  for (const fault of ['silence', 'cut', 'dropAnswers'] as const) {
    test(`has failed by ${fault}, locks are granted, handed over and kept beyond the ttl`, async () => {
      const nodes = three()
      const [a, b] = [client(nodes), client(nodes)]
      await Promise.all([a.locks.connect(), b.locks.connect()])
      for (const failed of [0, 1, 2] as const) {
        await Promise.all([a.wires[failed][fault](), b.wires[failed][fault]()])
        const lock = await a.locks.acquire(`name ${failed}`)
        const next = b.locks.acquire(`name ${failed}`)
        await pause(1.5 * ttl)
        expect(lock.held).toBe(true)
        expect(await lock.release()).toBe('released')
        const later = await next
        expect(later.token).toBeGreaterThan(lock.token)
        await later.release()
        await Promise.all([a.wires[failed].heal(), b.wires[failed].heal()])
      }
    })
  }

  test('never answers, nobody waits for it', async () => {
    const { locks, wires } = client(three(), { ttl: 20_000 })
    await locks.connect()
    await wires[1].silence()
    const started = performance.now()
    for (let count = 0; count < 20; count++) await (await locks.acquire('one')).release()
    expect(performance.now() - started).toBeLessThan(1_000)
  })

  test('was silent when it was asked, what it has taken is undone', async () => {
    const nodes = three()
    const { locks, wires } = client(nodes, { ttl: 20_000 })
    await locks.connect()
    await wires[2].dropAnswers()
    const lock = await locks.acquire('one')
    await until('the node has it', async () => (await at(nodes[2]!, 'one')).held === 1)
    await lock.release()
    await wires[2].heal()
    await until('the node has nothing', async () => (await at(nodes[2]!, 'one')).held === 0)
  })

  test('is a minority with the client, nothing is granted, and what was got is undone', async () => {
    const nodes = three()
    const { locks, wires } = client(nodes, { ttl: 20_000, connectTimeout: 500 })
    await locks.connect()
    await Promise.all([wires[1].silence(), wires[2].silence()])
    await expect(locks.tryAcquire('one')).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    await until('the node has nothing', async () => (await at(nodes[0]!, 'one')).held === 0)
    await Promise.all([wires[1].heal(), wires[2].heal()])
    for (const node of nodes) await until('nothing is left', async () => (await at(node, 'one')).held === 0)
    expect((await locks.acquire('one')).held).toBe(true)
  })

  test('falls silent with the majority, the lock is lost at the deadline of the majority', async () => {
    const { locks, wires } = client(three())
    const lock = await locks.acquire('one')
    await Promise.all([wires[0].silence(), wires[2].silence()])
    const { expiresAt } = lock
    await until('it is lost', () => lock.signal.aborted)
    expect(performance.now()).toBeGreaterThan(expiresAt - 1)
    expect(performance.now()).toBeLessThan(expiresAt + 500)
  })

  test('falls silent and is heard of again, is told of', async () => {
    const told: string[] = []
    const note = (message: unknown) => {
      const { node, nodes, state } = message as LockEvents['locks:node']
      told.push(`${node} of ${nodes} ${state}`)
    }
    const { locks, wires } = client(three())
    await locks.acquire('one')
    subscribe('locks:node', note)
    await wires[2].silence()
    await until('it is told', () => told.length === 1)
    await wires[2].heal()
    await until('it is told', () => told.length === 2)
    unsubscribe('locks:node', note)
    expect(told).toEqual(['3 of 3 silent', '3 of 3 answers'])
  })
})

describe('a node that comes back empty', () => {
  test('is given what is held, so that the next loss costs nothing', async () => {
    const nodes = three()
    const { locks, wires } = client(nodes)
    const lock = await locks.acquire('one')
    for (const [at, wire] of wires.entries()) {
      await wire.end()
      await until('the node has it again', async () => (await open(nodes[at]!).query('one')).held.length === 1)
      // A renewal of the others, after which the new vote counts.
      const { expiresAt } = lock
      await until('it is renewed', () => lock.expiresAt > expiresAt + ttl / 2)
    }
    expect(lock.held).toBe(true)
  })

  test('does not bring back a lock that has lost its majority meanwhile', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => memoryHarness(name)) as [Harness, Harness, Harness]
    const nodes = await Promise.all([a, b, c].map(async (harness) => harness.open()))
    const { locks, wires } = client(nodes, { ttl: 6_000 })
    const other = open(nodes[1]!)
    await wires[2].cut()
    const lock = await locks.acquire('one')
    // Forgotten by a node, taken there by another, and free again, before its holder has asked.
    await b.evict(encodeName('locks'), encodeName('one'))
    await (await other.acquire('one')).release()
    await wires[2].heal()
    await until('the third has it', async () => (await at(nodes[2]!, 'one')).held === 1)
    await until('it is lost', () => lock.signal.aborted)
    expect(lock.held).toBe(false)
  })
})

type Harness = ReturnType<typeof memoryHarness>

describe('many who want one lock', () => {
  test('are all served, one at a time, also when their votes are split', async () => {
    const nodes = three()
    const clients = Array.from({ length: 9 }, () => client(nodes))
    await Promise.all(clients.map(({ locks }) => locks.connect()))
    let [inside, most, served] = [0, 0, 0]
    await Promise.all(
      clients.map(async ({ locks }) => {
        for (let round = 0; round < 5; round++) {
          await locks.request('one', async () => {
            most = Math.max(most, ++inside)
            await pause(1)
            inside--
          })
          served++
        }
      }),
    )
    expect({ most, served }).toEqual({ most: 1, served: 45 })
  })

  test('of whom each has one vote are all served', async () => {
    const nodes = three()
    const clients = nodes.map(() => client(nodes))
    await Promise.all(clients.map(({ locks }) => locks.connect()))
    // Each reaches its own node only, takes it, and then finds the others taken.
    const late = clients.flatMap(({ wires }, own) => wires.filter((_, at) => at !== own))
    await Promise.all(late.map((wire) => wire.silence()))
    const asked = clients.map(({ locks }) => locks.request('one', () => pause(1)))
    for (const node of nodes) await until('each has a vote', async () => (await at(node, 'one')).held === 1)
    await Promise.all(late.map((wire) => wire.heal()))
    await Promise.all(asked)
  })

  test('and were given the nodes in opposite orders do not wait for each other for ever', async () => {
    const nodes = three()
    const clients = [client(nodes), client(nodes.toReversed()), client(nodes), client(nodes.toReversed())]
    await Promise.all(clients.map(({ locks }) => locks.connect()))
    let served = 0
    const work = clients.map(async ({ locks }) => {
      for (let round = 0; round < 3; round++) {
        await locks.request('one', () => pause(5))
        served++
      }
    })
    await Promise.all(work)
    expect(served).toBe(12)
  })

  test('and pass over different nodes do not wait for each other for ever', async () => {
    const nodes = three()
    const clients = Array.from({ length: 6 }, () => client(nodes))
    await Promise.all(clients.map(({ locks }) => locks.connect()))
    let served = 0
    const faults = clients.map(async ({ wires }, index) => {
      for (let round = 0; round < 4; round++) {
        const wire = wires[(index + round) % 3]!
        await wire.silence()
        await pause(400)
        await wire.heal()
      }
    })
    const work = clients.map(async ({ locks }) => {
      for (let round = 0; round < 6; round++) {
        await locks.request('one', () => pause(5)).catch(() => {})
        served++
      }
    })
    await Promise.all([...faults, ...work])
    expect(served).toBe(36)
  })
})

describe('tokens', () => {
  /** The tokens of two grants, of majorities that have one node in common. */
  async function overMajorities(nodes: readonly Backend[]): Promise<[bigint, bigint]> {
    const [a, b] = [client(nodes), client(nodes)]
    // The first node is far ahead.
    const ahead = open(nodes[0]!)
    for (let count = 0; count < 100; count++) await (await ahead.acquire('another')).release()
    await a.wires[2].cut()
    const first = await a.locks.acquire('one')
    await first.release()
    await b.wires[0].cut()
    const second = await b.locks.acquire('one')
    return [first.token, second.token]
  }

  test('rise over majorities that have one node in common, however different their counters', async () => {
    const [first, second] = await overMajorities(three())
    expect(first).toBeGreaterThan(100n)
    expect(second).toBeGreaterThan(first)
  })

  test('would fall there if nodes did not store the tokens of others', async () => {
    const forgetful = three().map((node) => altered(node, () => ({ raise: () => Promise.resolve() })))
    const [first, second] = await overMajorities(forgetful)
    expect(second).toBeLessThan(first)
  })

  test('are shown where the votes agree, for one that came later may have a higher one', async () => {
    const nodes = three()
    const { locks, wires } = client(nodes)
    const shown = async () => (await locks.query('one')).held.map(({ token }) => token)
    const ahead = open(nodes[2]!)
    for (let count = 0; count < 100; count++) await (await ahead.acquire('another')).release()
    await locks.connect()
    await wires[2].cut()
    const lock = await locks.acquire('one')
    expect(await shown()).toEqual([lock.token])
    await wires[2].heal()
    await until('the third has it', async () => (await at(nodes[2]!, 'one')).held === 1)
    expect(await shown()).toEqual([undefined])
  })

  test('are refused where a node cannot store them', async () => {
    const { raises: _, ...capabilities } = memory().capabilities
    const backend = quorum([memory(), memory(), { ...memory(), capabilities }])
    expect(backend.capabilities.fencing).toBe('none')
    const lock = await open(backend).acquire('one')
    expect(() => lock.token).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }))
    expect(() => open(backend, { require: { fencing: 'volatile' } })).toThrow(/fencing/)
  })
})

test('who can see too few of the votes to say whether somebody leads says so, and not that nobody does', async () => {
  const nodes = three()
  const [leading, watching] = [client(nodes), client(nodes)]
  await leading.wires[2].silence()
  const leadership = await leading.locks.election('one').campaign({ value: 'there' })
  await watching.wires[1].silence()
  await expect(watching.locks.election('one').leader()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(leadership.held).toBe(true)
  await watching.wires[1].heal()
  await until('it is seen to lead', async () => (await watching.locks.election('one').leader())?.value === 'there')
})

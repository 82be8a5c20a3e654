import { encodeName, systemClock, systemRandom, type Grant, type Loss, type Request } from '@locks/core/backend'
import { startZookeeper } from '@locks/testkit'
import { afterAll, afterEach, expect, test } from 'vitest'
import { Client, type Call } from '../src/client.ts'
import type { Operation } from '../src/operations.ts'
import { settingsFromUrl } from '../src/options.ts'
import { Paths } from '../src/paths.ts'
import { ZookeeperSession } from '../src/session.ts'
import { Sign } from '../src/sign.ts'
import { labelOf } from '../src/snapshots.ts'

const server = await startZookeeper()
afterAll(() => server.end())

const types = { remove: 2, write: 5, children: 12, transaction: 14 } as const

interface Opened {
  readonly session: ZookeeperSession
  readonly granted: Grant[]
  readonly lost: [id: string, how: Loss][]
  /** Keeps back what is sent of this kind from now on. Answers when something is, and sends it all when called. */
  hold(kind: keyof typeof types): { readonly held: Promise<void>; letGo(): void }
}

const opened: ZookeeperSession[] = []
afterEach(async () => {
  for (const session of opened.splice(0)) await session.close()
})

/** A session on the real server whose requests can be kept back, each before it leaves. */
async function open(): Promise<Opened> {
  const settings = settingsFromUrl(`zookeeper://127.0.0.1:${server.port}`)
  const paths = new Paths(settings.root, 'test')
  const sign = new Sign(paths, settings.acl, labelOf('client', 'owner'))
  const [clock, random, ttl] = [systemClock, systemRandom, 20_000]
  let session: ZookeeperSession | undefined
  const client = new Client({
    ...settings,
    ttl,
    clock,
    random,
    announce: (call, id) => sign.announce(call, id),
    changed: (path, event) => session?.changed(path, event),
    restored: () => {},
    ended: () => {},
  })
  const since = await client.open()
  const holds = new Map<number, { wait: Promise<void>; began: () => void }>()
  const { call } = client
  const held: Call = async <T>(operation: Operation<T>, urgent?: boolean) => {
    const hold = holds.get(operation.type)
    hold?.began()
    await hold?.wait
    return call(operation, urgent)
  }
  Object.assign(client, { call: held })
  const granted: Grant[] = []
  const lost: [string, Loss][] = []
  const events = {
    granted: (grant: Grant) => void granted.push(grant),
    lost: (id: string, how: Loss) => void lost.push([id, how]),
  }
  const identity = { namespace: 'test', clientId: 'client', owner: 'owner', ttl }
  session = new ZookeeperSession({ client, paths, sign, settings }, { ...identity, clock, random, events }, since)
  opened.push(session)
  return {
    session,
    granted,
    lost,
    hold(kind) {
      const gate = Promise.withResolvers<void>()
      const began = Promise.withResolvers<void>()
      holds.set(types[kind], { wait: gate.promise, began: began.resolve })
      const letGo = () => {
        holds.delete(types[kind])
        gate.resolve()
      }
      return { held: began.promise, letGo }
    },
  }
}

let names = 0
function request(name: string, rest: Partial<Request> = {}): Request {
  return { id: systemRandom.id(), names: [encodeName(name)], mode: 'exclusive', wait: true, steal: false, ...rest }
}

async function take({ session }: Opened, claim: Request): Promise<Grant> {
  const answer = await session.acquire(claim)
  if (typeof answer !== 'object' || !answer) throw new Error(`not granted at once: ${answer}`)
  return answer
}

/** Waits for a condition; the test's own time-out is the bound. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

const tokenOf = (grant: Grant | undefined): bigint => grant?.tokens[0] ?? 0n

test('whoever was granted the name between the making of a node and the list of the queue has the smaller token', async () => {
  const [a, b, c] = [await open(), await open(), await open()]
  const name = `name${names++}`
  const [first, second, third] = [request(name), request(name), request(name)]
  await take(a, first)
  expect(await b.session.acquire(second)).toBe('queued')
  const hold = c.hold('children')
  const asked = c.session.acquire(third)
  await hold.held
  await a.session.remove(first)
  await until(() => b.granted.length > 0)
  await b.session.remove(second)
  hold.letGo()
  expect(tokenOf((await asked) as Grant)).toBeGreaterThan(tokenOf(b.granted[0]))
})

test('who has seen its turn come is not granted it when a thief was faster', async () => {
  const [a, b, c] = [await open(), await open(), await open()]
  const name = `name${names++}`
  const [first, second] = [request(name), request(name)]
  await take(a, first)
  expect(await b.session.acquire(second)).toBe('queued')
  const confirmation = b.hold('transaction')
  await a.session.remove(first)
  await confirmation.held
  // The thief is there, and has not yet done anything about those who were before it.
  const removals = c.hold('remove')
  const theft = c.session.acquire(request(name, { steal: true }))
  await removals.held
  confirmation.letGo()
  await b.session.query(encodeName(name))
  expect(b.granted).toEqual([])
  removals.letGo()
  await theft
  // It may have held, for all that the thief could see.
  expect((await b.session.renew([second])).get(second.id)).toBe('gone')
  expect(b.granted).toEqual([])
})

test('a thief does what another was about to do that is still at work', async () => {
  const [a, b, c] = [await open(), await open(), await open()]
  const name = `name${names++}`
  const [first, waiting] = [request(name), request(name)]
  await take(a, first)
  expect(await a.session.acquire(waiting)).toBe('queued')
  // What a thief writes when it has done its work is behind that on the line, and so is held with it.
  const [removals, mark] = [b.hold('remove'), b.hold('write')]
  const theft = b.session.acquire(request(name, { steal: true }))
  await removals.held
  const second = await take(c, request(name, { steal: true }))
  // The holder knows with its next renewal, although the first thief never came to it; who waits keeps waiting.
  const standings = await a.session.renew([first, waiting])
  expect(standings.get(first.id)).toBe('stolen')
  expect(standings.get(waiting.id)).toMatchObject({ ttl: 20_000 })
  removals.letGo()
  mark.letGo()
  expect(tokenOf((await theft) as Grant)).toBeLessThan(tokenOf(second))
})

import { LockManager } from '@locks/core'
import { systemRandom, type Backend, type Random } from '@locks/core/backend'
import { adapter, postgres, schemaScript } from '@locks/postgres'
import { makeCertificates, startPgbouncer, startPostgres, startProxy, type ProxyLine } from '@locks/testkit'
import { afterAll, expect, test } from 'vitest'
import { canary, cleanup, settled, Sightings, until } from './fixtures.ts'
import { leastPrivilege } from './role.ts'

const encoded = encodeURIComponent(canary)
const sightings = new Sightings()

const [server, proxy] = await Promise.all([startPostgres(), startProxy()])
await server.psql(schemaScript('locks'))
for (const role of ['able', 'poor']) {
  await server.psql(`CREATE ROLE ${role} LOGIN PASSWORD '${canary.replaceAll("'", "''")}'`)
}
await server.psql(leastPrivilege('able'))
afterAll(() => Promise.all([server.end(), proxy.end()]))

async function newLine(): Promise<ProxyLine> {
  const made = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'postgres' })
  cleanup(() => made.close())
  return made
}

const urlOf = (user: string, port: number | undefined = server.port, rest = 'postgres') =>
  `postgres://${user}:${encoded}@127.0.0.1:${port}/${rest}`

function managerOf(backend: Backend, options: { ttl?: number; random?: Random } = {}): LockManager {
  const locks = new LockManager(backend, { connectTimeout: 1_000, ttl: 1_000, ...options })
  cleanup(() => locks.close())
  sightings.note(backend, locks)
  return locks
}

/** The errors of all calls of a manager. */
async function call(locks: LockManager): Promise<unknown[]> {
  const calls = [
    locks.connect(),
    locks.acquire('a', { timeout: 500 }),
    locks.tryAcquire('b'),
    locks.query('a'),
    locks.query(),
    locks.request('c', { signal: AbortSignal.timeout(500) }, () => {}),
  ]
  const outcomes = await Promise.allSettled(calls)
  const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
  sightings.note(locks, ...errors)
  return errors
}

test.for<[string, () => string]>([
  ['a role that nobody knows', () => urlOf('nobody')],
  ['a role that may do nothing', () => urlOf('poor', server.port, 'postgres?schema=none')],
  ['a database that is not there', () => urlOf('able', server.port, 'nowhere')],
  ['a host that is unknown', () => `postgres://able:${encoded}@host.invalid/postgres`],
  ['a server without TLS', () => urlOf('able', server.port, 'postgres?sslmode=require')],
])('the password of %s is in nothing that can be seen', async ([, url]) => {
  expect(await call(managerOf(adapter.fromUrl(url())))).not.toEqual([])
  sightings.expectNone()
})

test('a wrong password, that of a pooler, and one that cannot be sent', async () => {
  await server.psql(`CREATE ROLE other LOGIN PASSWORD 'another'`)
  const pooler = await startPgbouncer(server, { mode: 'transaction' })
  cleanup(() => pooler.end())
  const gone = await newLine()
  await gone.close()
  for (const [user, port] of [
    ['other', server.port],
    ['postgres', pooler.port],
    ['able', gone.ports[0]],
  ] as const) {
    expect(await call(managerOf(postgres({ url: urlOf(user, port) })))).not.toEqual([])
  }
  sightings.expectNone()
})

test('a URL that is wrong is not shown', async () => {
  for (const url of [
    `postgres://able:${canary}@127.0.0.1/postgres`,
    urlOf('able', server.port, 'postgres?nonsense=1'),
    urlOf('able', server.port, 'postgres?sslmode=nonsense'),
    `postgres://able:${encoded}@a,b/postgres`,
    `postgres://able:${encoded}@127.0.0.1:nonsense/postgres`,
  ]) {
    const { error } = await settled((async () => adapter.fromUrl(url))())
    expect(error).toBeInstanceOf(Error)
    sightings.note(error)
  }
  sightings.expectNone()
})

test('while the server is silent, cut off, late, or breaks off in the middle', async () => {
  const line = await newLine()
  const locks = managerOf(postgres({ url: urlOf('able', line.ports[0]) }))
  const lock = await locks.acquire('held')
  await line.wire.dropAnswers()
  expect(await call(locks)).not.toEqual([])
  await until('it is lost', () => !lock.held)
  await line.wire.cut()
  expect(await call(locks)).not.toEqual([])
  await line.wire.heal()
  await line.wire.reconnect()
  await until('it works again', async () => (await locks.tryAcquire('again')) !== null)
  await line.cutInFrame()
  await call(locks)
  await line.wire.silence()
  expect(await call(managerOf(postgres({ url: urlOf('able', line.ports[0]) })))).not.toEqual([])
  sightings.expectNone()
})

test('the password of a config, also one that is asked for', async () => {
  const { ca } = await makeCertificates()
  const at = { host: '127.0.0.1', port: server.port, user: 'nobody', database: 'postgres' }
  for (const config of [
    { ...at, password: canary },
    { ...at, password: () => canary },
    { connectionString: urlOf('nobody') },
    { ...at, password: canary, ssl: { ca } },
    { ...at, password: () => Promise.reject(new Error(canary)) },
  ]) {
    expect(await call(managerOf(postgres({ config })))).not.toEqual([])
  }
  sightings.expectNone()
})

test("the owner's secret is in no error of a statement", async () => {
  let drawn = 0
  const random: Random = { ...systemRandom, id: () => `${drawn++}${canary}` }
  const line = await newLine()
  const locks = managerOf(postgres({ url: urlOf('able', line.ports[0]) }), { random })
  await locks.connect()
  const failures: [() => Promise<unknown>, () => Promise<unknown>][] = [
    [
      () => server.psql('REVOKE INSERT ON locks.entry FROM able'),
      () => server.psql('GRANT INSERT ON locks.entry TO able'),
    ],
    [
      () => server.psql(`ALTER TABLE locks.entry ADD CONSTRAINT never CHECK (id = '') NOT VALID`),
      () => server.psql('ALTER TABLE locks.entry DROP CONSTRAINT never'),
    ],
    [
      () => server.psql('ALTER TABLE locks.entry RENAME TO moved'),
      () => server.psql('ALTER TABLE locks.moved RENAME TO entry'),
    ],
    [() => line.wire.dropAnswers(), () => line.wire.heal()],
  ]
  for (const [fail, repair] of failures) {
    await fail()
    const { error } = await settled(locks.acquire('shared', { mode: 'shared', timeout: 400 }))
    expect(error).toBeInstanceOf(Error)
    sightings.note(error)
    await repair()
    await until('it works again', async () => {
      const lock = await locks.acquire('shared', { mode: 'shared', timeout: 2_000 })
      return (await lock.release()) === 'released'
    })
  }
  expect(drawn).toBeGreaterThan(4)
  // The first is the manager's own, which everybody may know.
  sightings.expectNone(/[1-9]cAnArY/i)
})

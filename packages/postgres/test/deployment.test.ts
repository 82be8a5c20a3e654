import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { LockManager } from '@locks/core'
import { postgres, schemaScript } from '@locks/postgres'
import { startPgbouncer, startPostgres, startStandby, type PgbouncerOptions } from '@locks/testkit'
import { Client } from 'pg'
import { afterAll, expect, test } from 'vitest'
import { cleanup, leftAt, nothing, open, queued, until } from './fixtures.ts'
import { leastPrivilege } from './role.ts'

const server = await startPostgres()
afterAll(() => server.end())

/** A manager that is not connected yet. */
function managerOf(url: string, options = {}): LockManager {
  const locks = new LockManager(postgres({ url }), { ttl: 2_000, ...options })
  cleanup(() => locks.close())
  return locks
}

/** A database of this name, empty. */
async function database(name: string): Promise<string> {
  await server.psql(`CREATE DATABASE ${name}`)
  return server.urlOf({ database: name })
}

test('a database that is not there, and a user who is not let in: what to do', async () => {
  const told = (url: string, message: string) =>
    expect(managerOf(url).connect()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      temporary: false,
      message: expect.stringContaining(message) as string,
    })
  await told(server.urlOf({ database: 'nowhere' }), 'no database of this name; create it, or name another one')
  await told(server.urlOf({ user: 'nobody', password: 'wrong' }), 'let this user in; are user and password right')
})

test('a standby is refused, and not once it has been promoted', async () => {
  const locks = await open(postgres({ url: server.url }), { ttl: 1_000 })
  const kept = await locks.acquire('name')
  const standby = await startStandby(server)
  cleanup(() => standby.end())
  const refused = managerOf(standby.url)
  const error = { code: 'UNSUPPORTED', temporary: false, message: expect.stringContaining('standby') as string }
  await expect(refused.connect()).rejects.toMatchObject(error)
  await expect(refused.acquire('name')).rejects.toMatchObject(error)
  await expect(refused.tryAcquire('name')).rejects.toMatchObject(error)
  // Of the two refused attempts, and of those that were not made, nothing stays.
  expect(await standby.sessions()).toBe(0)
  await standby.promote()
  const lock = await managerOf(standby.url).acquire('name')
  expect(lock.token).toBeGreaterThan(kept.token)
})

test('a standby that takes over grants nothing in which a holder at the former primary may still believe', async () => {
  const primary = await startPostgres()
  cleanup(() => primary.end())
  const standby = await startStandby(primary)
  cleanup(() => standby.end())
  const ttl = 3_000
  const holder = await open(postgres({ url: primary.url }), { ttl })
  const lock = await holder.acquire('name')
  await until('the standby knows the session', async () => {
    return (
      (await standby.psql(`SELECT count(*) FROM pg_tables WHERE schemaname = 'locks'`)) !== '0' &&
      (await standby.psql('SELECT count(*) FROM locks.session')) === '1'
    )
  })
  // Its start would say that a ttl has passed.
  await until('the standby has run for longer than the ttl', async () => {
    return Number(await standby.psql('SELECT extract(epoch FROM now() - pg_postmaster_start_time()) * 1000')) > ttl
  })
  // As a machine that is gone: its connections do not say so.
  await primary.stop()
  await standby.promote()
  const next = await managerOf(standby.url).acquire('name')
  expect(lock.held).toBe(false)
  expect(next.token).toBeGreaterThan(lock.token)
  await primary.kill()
})

test.for<[PgbouncerOptions['mode'], string]>([
  ['transaction', '0'],
  ['transaction', '1'],
  ['statement', '0'],
])('pgbouncer in mode %s, with %s connections at least, is refused and left clean', async ([mode, size]) => {
  const pooler = await startPgbouncer(server, { mode, settings: { default_pool_size: '1', min_pool_size: size } })
  cleanup(() => pooler.end())
  for (const attempt of [managerOf(pooler.url), managerOf(pooler.url)]) {
    await expect(attempt.connect()).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      temporary: false,
      message: expect.stringContaining('pooler') as string,
    })
  }
  expect(await server.advisoryLocks()).toBe(0)
  // Nor has the pool's connection kept a setting of ours, for whoever gets it next.
  const next = new Client(pooler.url)
  await next.connect()
  cleanup(() => next.end())
  expect((await next.query('SHOW idle_session_timeout')).rows).toEqual([{ idle_session_timeout: '0' }])
})

test('pgbouncer in mode session is refused as well: it cannot be told from the others', async () => {
  const pooler = await startPgbouncer(server, { mode: 'session' })
  cleanup(() => pooler.end())
  await expect(managerOf(pooler.url).connect()).rejects.toMatchObject({ code: 'UNSUPPORTED' })
})

test('processes that come first at the same time all find the schema that one of them makes', async () => {
  const url = await database('crowded')
  const program = fileURLToPath(new URL('./first.ts', import.meta.url))
  const run = () => promisify(execFile)(process.execPath, ['--conditions=@locks/source', program, url, '8'])
  const answers = await Promise.all(Array.from({ length: 4 }, run))
  const tokens = answers.flatMap(({ stdout }) => JSON.parse(stdout) as string[])
  expect(new Set(tokens).size).toBe(4 * 8)
  await until('nothing is left', async () => (await server.sessions()) === 0)
})

test('the schema of another name is another space: what is locked here is free there', async () => {
  const url = await database('spaces')
  const [one, other] = [managerOf(`${url}?schema=one`), managerOf(`${url}?schema=other`)]
  await one.acquire('name')
  expect(await other.tryAcquire('name')).not.toBeNull()
  expect((await other.query()).held).toHaveLength(1)
  const schemas = await server.psql(
    `SELECT nspname FROM pg_namespace WHERE nspname IN ('one', 'other', 'locks') ORDER BY 1`,
    {
      database: 'spaces',
    },
  )
  expect(schemas).toBe('one\nother')
})

test('a role with the least privileges, on a schema made ahead of time from the script', async () => {
  await database('ahead')
  const owner = { database: 'ahead' }
  await server.psql(schemaScript('locks'), owner)
  // It may be run again.
  await server.psql(schemaScript('locks'), owner)
  await server.psql(`CREATE ROLE least LOGIN PASSWORD 'of-the-least'; ${leastPrivilege('least')}`, owner)
  const url = server.urlOf({ user: 'least', password: 'of-the-least', database: 'ahead' })
  const [locks, other] = [managerOf(url), managerOf(url)]
  const lock = await locks.acquire('name')
  const waiting = other.acquire('name')
  await queued(locks, 'name', 1)
  await lock.release()
  const next = await waiting
  expect(next.token).toBeGreaterThan(lock.token)
  const [readers, permits] = [
    await Promise.all([locks, other].map((each) => each.acquire('read', { mode: 'shared' }))),
    await Promise.all([locks, other].map((each) => each.acquire('permits', { permits: 2 }))),
  ]
  expect([...readers, ...permits].every(({ held }) => held)).toBe(true)
  expect((await locks.query()).held).toHaveLength(5)
  const leaders = other.election('election').observe()
  expect(await leaders.next()).toEqual({ value: null })
  const leadership = await locks.election('election').campaign({ value: 'here' })
  expect(await leaders.next()).toMatchObject({ value: { value: 'here', token: leadership.token } })
  await leadership.resign()
  expect(await leaders.next()).toEqual({ value: null })
  await Promise.all([locks.close(), other.close()])
  const left = await server.psql(
    'SELECT (SELECT count(*) FROM locks.entry), (SELECT count(*) FROM locks.session)',
    owner,
  )
  expect(left).toBe('0|0')
  // Not even a schema, nor a table in a schema of its own, may it make.
  await expect(server.psql('CREATE SCHEMA own', { user: 'least', password: 'of-the-least', database: 'ahead' }))
    .rejects //
    .toThrow('permission denied')
})

test('a schema of another version is used by nobody, and left as it is', async () => {
  const url = await database('versions')
  const there = { database: 'versions' }
  await server.psql(schemaScript('locks'), there)
  await server.psql(
    `CREATE OR REPLACE FUNCTION locks.version() RETURNS int LANGUAGE sql AS 'SELECT 1'; DROP FUNCTION locks.announce() CASCADE`,
    there,
  )
  const error = { code: 'UNSUPPORTED', temporary: false, message: expect.stringContaining('is version 1') as string }
  await expect(managerOf(url).connect()).rejects.toMatchObject(error)
  await expect(server.psql(schemaScript('locks'), there)).rejects.toThrow('of another version')
  expect(await server.psql(`SELECT locks.version(), to_regproc('locks.announce') IS NULL`, there)).toBe('1|t')
})

test('a database that has no Unicode keeps names, owners and values', async () => {
  await server.psql(`CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`)
  const locks = managerOf(server.urlOf({ database: 'latin' }), { owner: 'Ωwner' })
  await locks.election('čas').campaign({ value: '💡' })
  expect(await locks.election('čas').leader()).toMatchObject({ value: '💡', owner: 'Ωwner' })
})

test('a role that may not make the schema is told what to do, for good', async () => {
  await database('forbidden')
  await server.psql(`CREATE ROLE poor LOGIN PASSWORD 'of-the-poor'`)
  const url = server.urlOf({ user: 'poor', password: 'of-the-poor', database: 'forbidden' })
  const refused = managerOf(url)
  await expect(refused.connect()).rejects.toMatchObject({
    temporary: false,
    message: expect.stringMatching(/may not create the schema "locks".*README.*schema=none/) as string,
  })
  expect(await server.sessions()).toBe(0)
})

test('the same role does with less, and declares that', async () => {
  await database('connected')
  await server.psql(`CREATE ROLE guest LOGIN PASSWORD 'of-the-guest'; REVOKE ALL ON SCHEMA public FROM PUBLIC`, {
    database: 'connected',
  })
  const url = `${server.urlOf({ user: 'guest', password: 'of-the-guest', database: 'connected' })}?schema=none`
  const [locks, other] = [managerOf(url), managerOf(url)]
  expect(locks.capabilities).toMatchObject({ fencing: 'none', order: 'none', shared: false, semaphore: false })
  const lock = await locks.acquire('name')
  expect(await other.tryAcquire('name')).toBeNull()
  for (const options of [{ mode: 'shared' }, { permits: 2 }] as const) {
    await expect(locks.acquire('other', options)).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  }
  const waiting = other.acquire('name')
  await lock.release()
  expect((await waiting).held).toBe(true)
  await Promise.all([locks.close(), other.close()])
  expect([await server.advisoryLocks(), await server.sessions()]).toEqual([0, 0])
})

test.for(['USAGE ON SCHEMA', 'INSERT ON ALL TABLES IN SCHEMA', 'USAGE ON ALL SEQUENCES IN SCHEMA'])(
  'a role without %s is told which kind of thing it lacks, for good',
  async (privilege) => {
    const name = `without_${privilege.toLowerCase().replaceAll(/[^a-z]+/g, '_')}`
    await database(name)
    const owner = { database: name }
    await server.psql(schemaScript('locks'), owner)
    await server.psql(`CREATE ROLE ${name} LOGIN PASSWORD 'x'; ${leastPrivilege(name)}`, owner)
    await server.psql(`REVOKE ${privilege} locks FROM ${name}`, owner)
    const locks = managerOf(server.urlOf({ user: name, password: 'x', database: name }))
    await expect(locks.acquire('name')).rejects.toMatchObject({
      temporary: false,
      message: expect.stringContaining('privilege') as string,
    })
  },
)

test('a server of which all connections are taken is waited for', async () => {
  const small = await startPostgres({ settings: { max_connections: '5', superuser_reserved_connections: '1' } })
  cleanup(() => small.end())
  await small.psql(`CREATE ROLE app LOGIN PASSWORD 'x'; GRANT CREATE ON DATABASE postgres TO app`)
  const url = small.urlOf({ user: 'app', password: 'x' })
  const [one, two, three] = [managerOf(url), managerOf(url), managerOf(url, { connectTimeout: 500 })]
  await one.acquire('name')
  await two.connect()
  await expect(three.connect()).rejects.toMatchObject({ code: 'UNAVAILABLE', temporary: true })
  const waiting = three.acquire('other')
  await two.close()
  expect((await waiting).held).toBe(true)
  await Promise.all([one, three].map((locks) => locks.close()))
  expect(await leftAt(small)).toEqual(nothing)
})

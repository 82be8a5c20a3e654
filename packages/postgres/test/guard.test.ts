import type { Bearer, Lock } from '@locks/core'
import { fenceTable, postgres, PostgresGuard } from '@locks/postgres'
import { startPgbouncer, startPostgres } from '@locks/testkit'
import { Client, Pool, type ClientConfig } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { chance, cleanup, compareWithRule, open, settled, startProgram, until } from './fixtures.ts'
import { countIn, tables, write, type Read, type Written } from './late.ts'

const server = await startPostgres()
afterAll(() => server.end())
beforeAll(() => server.psql(tables))
beforeEach(() => server.psql('UPDATE counter SET count = 0; DELETE FROM fence'))

const guard = new PostgresGuard('counter')
const exclusive = (token: bigint): Bearer => ({ token, mode: 'exclusive' })
const shared = (token: bigint): Bearer => ({ token, mode: 'shared' })
const fenced = { code: 'LOST', reason: 'fenced', temporary: true }

async function connect(config: ClientConfig = {}): Promise<Client> {
  const client = new Client({ connectionString: server.url, ...config })
  client.on('error', () => {})
  await client.connect()
  cleanup(() => client.end())
  return client
}

/** Settles once somebody waits for a row that another transaction has locked. */
const waits = () =>
  until('one waits for another', async () => {
    return (await server.psql(`SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'`)) === '1'
  })

describe('a holder that is stopped between its read and its write, past its ttl', () => {
  /** Has another holder take over and read, which begins as it is told; then wakes the first, and lets both write. */
  async function play(begin: (client: Client, lock: Lock) => Promise<void>) {
    const late = startProgram(new URL('./late.ts', import.meta.url), server.url)
    const read = (await late.said()) as Read
    late.process.kill('SIGSTOP')
    const lock = await (await open(postgres({ url: server.url }))).acquire('counter')
    expect(lock.token).toBeGreaterThan(BigInt(read.token))
    const client = await connect()
    await begin(client, lock)
    const count = await countIn(client)
    late.next()
    late.process.kill('SIGCONT')
    const written = (await late.said()) as Written
    await write(client, lock, count + 1)
    return { written, count: await countIn(client) }
  }

  test('is refused once the next one has entered, before that has written anything', async () => {
    expect(await play((client, lock) => guard.enter(client, lock))).toEqual({
      written: { held: false, refused: { code: 'LOST', reason: 'fenced' } },
      count: 1,
    })
  })

  test('writes, and its update is lost, if the next one only comes to write', async () => {
    expect(await play(async () => {})).toEqual({ written: { held: false, refused: null }, count: 1 })
  })
})

describe('in a transaction of the application', () => {
  test('whoever is refused has written nothing, also if it does not notice and commits', async () => {
    const client = await connect()
    await guard.enter(client, exclusive(7n))
    await client.query('BEGIN')
    await client.query('UPDATE counter SET count = 99')
    await expect(guard.enter(client, exclusive(5n))).rejects.toMatchObject(fenced)
    await expect(client.query('UPDATE counter SET count = 99')).rejects.toMatchObject({ code: '25P02' })
    expect((await client.query('COMMIT')).command).toBe('ROLLBACK')
    expect(await countIn(client)).toBe(0)
  })

  test('whoever comes waits for one that is under way, and reads what that has written', async () => {
    const [first, second] = [await connect(), await connect()]
    await first.query('BEGIN')
    await guard.enter(first, exclusive(5n))
    const entering = guard.enter(second, exclusive(7n))
    await waits()
    await first.query('UPDATE counter SET count = 1')
    await first.query('COMMIT')
    await entering
    expect(await countIn(second)).toBe(1)
    await expect(write(first, exclusive(5n), 2)).rejects.toMatchObject(fenced)
    expect(await countIn(second)).toBe(1)
  })

  test('whoever waits for a newer one is refused when that commits', async () => {
    const [first, second] = [await connect(), await connect()]
    await second.query('BEGIN')
    await guard.enter(second, exclusive(7n))
    const late = settled(write(first, exclusive(5n), 99))
    await waits()
    await second.query('UPDATE counter SET count = 1')
    await second.query('COMMIT')
    expect((await late).error).toMatchObject(fenced)
    expect(await countIn(first)).toBe(1)
  })

  test('what is rolled back has not been', async () => {
    const [first, second] = [await connect(), await connect()]
    await second.query('BEGIN')
    await guard.enter(second, exclusive(7n))
    const late = settled(write(first, exclusive(5n), 1))
    await waits()
    await second.query('ROLLBACK')
    expect((await late).error).toBeUndefined()
    expect(await countIn(first)).toBe(1)
  })

  test('one that stands still in its transaction keeps the next one waiting until the server ends it', async () => {
    const [first, second] = [await connect({ idle_in_transaction_session_timeout: 300 }), await connect()]
    await first.query('BEGIN')
    await guard.enter(first, exclusive(5n))
    await first.query('UPDATE counter SET count = 99')
    await guard.enter(second, exclusive(7n))
    expect(await countIn(second)).toBe(0)
    await expect(first.query('COMMIT')).rejects.toThrow(/terminat|not queryable/i)
  })

  test.for(['REPEATABLE READ', 'SERIALIZABLE'])('under %s nobody acts on what is out of date', async (level) => {
    const [first, second] = [await connect(), await connect()]
    await guard.enter(first, exclusive(5n))
    await second.query(`BEGIN ISOLATION LEVEL ${level}`)
    expect(await countIn(second)).toBe(0)
    await write(first, exclusive(5n), 1)
    // It would go on to count up what it has read before.
    await expect(guard.enter(second, exclusive(7n))).rejects.toMatchObject({ code: '40001' })
    await second.query('ROLLBACK')
  })
})

test('of concurrent transactions at READ COMMITTED none is lost, and none comes after a newer one', async () => {
  const pool = new Pool({ connectionString: server.url, max: 8 })
  cleanup(() => pool.end())
  await pool.query('CREATE TABLE taken (at serial, token numeric)')
  const unit = chance(2)
  let refused = 0
  /** Tokens rise from one to the next, but for those who are late. */
  async function come(token: bigint): Promise<void> {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      await guard.enter(client, exclusive(token))
      const count = await countIn(client)
      await client.query('UPDATE counter SET count = $1', [count + 1])
      await client.query('INSERT INTO taken (token) VALUES ($1)', [String(token)])
      await client.query('COMMIT')
    } catch (error) {
      expect(error).toMatchObject(fenced)
      refused++
      await client.query('ROLLBACK')
    } finally {
      client.release()
    }
  }
  const base = 2n ** 60n
  await Promise.all(Array.from({ length: 300 }, (_, at) => come(base + BigInt(at + Math.floor(unit() * 20)))))
  const { rows } = await pool.query('SELECT token::text FROM taken ORDER BY at')
  const taken = (rows as { token: string }[]).map(({ token }) => BigInt(token))
  expect(taken).toEqual(taken.toSorted((a, b) => (a < b ? -1 : 1)))
  expect(await server.psql('SELECT count FROM counter')).toBe(String(taken.length))
  expect(taken.length + refused).toBe(300)
  expect(Math.min(taken.length, refused)).toBeGreaterThan(20)
})

test('the rule is that of core, also for tokens beyond 2^53 and 2^64', async () => {
  const client = await connect()
  const { differences, refused } = await compareWithRule((bearer) => guard.enter(client, bearer))
  expect(differences).toEqual([])
  expect(refused).toBeGreaterThan(50)
  expect(refused).toBeLessThan(350)
})

test('whoever is refused changes nothing, also by itself', async () => {
  const client = await connect()
  await guard.enter(client, shared(7n))
  await expect(guard.enter(client, exclusive(5n))).rejects.toMatchObject(fenced)
  await guard.enter(client, shared(4n))
})

test('each resource has a row of its own, in a table of any name, for a role that may do no more than it needs', async () => {
  await server.psql(`CREATE SCHEMA app; ${fenceTable('app.guards')}; CREATE ROLE app LOGIN PASSWORD 'of-the-app';
    GRANT USAGE ON SCHEMA app TO app; GRANT SELECT, INSERT, UPDATE ON app.guards TO app`)
  const client = await connect({ connectionString: server.urlOf({ user: 'app', password: 'of-the-app' }) })
  const [one, other] = ['one', "'; two"].map((resource) => new PostgresGuard(resource, { table: 'app.guards' }))
  await one?.enter(client, exclusive(7n))
  await other?.enter(client, exclusive(5n))
  await expect(one?.enter(client, exclusive(5n))).rejects.toMatchObject(fenced)
  expect(await server.psql('SELECT resource, newest FROM app.guards ORDER BY newest')).toBe(`'; two|5\none|7`)
})

test('behind a pooler, since the transaction is all that it stands on', async () => {
  const pooler = await startPgbouncer(server, { mode: 'transaction' })
  cleanup(() => pooler.end())
  const [first, second] = [
    await connect({ connectionString: pooler.url }),
    await connect({ connectionString: pooler.url }),
  ]
  await write(first, exclusive(5n), 1)
  await guard.enter(second, exclusive(7n))
  await expect(write(first, exclusive(5n), 2)).rejects.toMatchObject(fenced)
  await write(second, exclusive(7n), 3)
  expect(await countIn(first)).toBe(3)
})

test('permits are refused, and names that no table has; an error of the driver stays what it is', async () => {
  const client = await connect()
  const locks = await open(postgres({ url: server.url }))
  const permit = await locks.acquire('pool', { permits: 2 })
  await expect(guard.enter(client, permit)).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  expect(await server.psql('SELECT count(*) FROM fence')).toBe('0')
  expect(() => new PostgresGuard('a', { table: 'a; DROP TABLE fence' })).toThrow(/a table's name is lower-case letters/)
  expect(() => new PostgresGuard(5 as unknown as string)).toThrow(/takes a resource's name; got 5/)
  const elsewhere = new PostgresGuard('a', { table: 'missing' })
  await expect(elsewhere.enter(client, exclusive(5n))).rejects.toMatchObject({ code: '42P01', severity: 'ERROR' })
})

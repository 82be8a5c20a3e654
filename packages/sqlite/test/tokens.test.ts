import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tokenSpacing, type Grant } from '@locks/core/backend'
import { expect, test } from 'vitest'
import { Database } from '../src/database.ts'
import { adopt } from '../src/schema.ts'
import { child, cleanup, database, folder, open, request, SetClock, until } from './support.ts'

/** A clock at the beginning of time, so that only what is stored can make a token rise. */
function early(): SetClock {
  const clock = new SetClock()
  clock.offset = 1_000 - Date.now()
  return clock
}

async function token(path: string, name = 'a'): Promise<bigint> {
  const { session } = await open(path, { clock: early() })
  const claim = request(name)
  const { tokens } = (await session.acquire(claim)) as Grant
  await session.remove(claim)
  await session.close()
  return tokens[0] as bigint
}

test('tokens rise over closing and opening', async () => {
  const path = database()
  const tokens = []
  for (let i = 0; i < 5; i++) tokens.push(await token(path))
  expect(tokens).toEqual(tokens.toSorted((a, b) => Number(a - b)))
  expect(new Set(tokens).size).toBe(5)
})

test('tokens rise above one that they are raised to, in sessions of later as well', async () => {
  const path = database()
  const first = await open(path, { clock: early() })
  await first.session.raise?.('a', 1_000_000_000_000n)
  await first.session.raise?.('a', 1n)
  await first.session.close()
  const next = await token(path)
  expect(next).toBeGreaterThan(1_000_000_000_000n)
  expect(await token(path)).toBeGreaterThan(next)
  const { session } = await open(path, { clock: early() })
  await expect(session.raise?.('a', 2n ** 52n)).rejects.toMatchObject({ code: 'UNSUPPORTED' })
})

test('tokens rise when a holder is killed', async () => {
  const path = database()
  const holder = child('hold', { path, name: 'lock', ttl: 1_000 })
  const before = BigInt(String((await holder.next())['token']))
  holder.process.kill('SIGKILL')
  const waiter = child('wait', { path, name: 'lock' })
  await waiter.next()
  expect(BigInt(String((await waiter.next())['token']))).toBeGreaterThan(before)
})

test('tokens rise when the machine loses what was not synchronised', async () => {
  const path = database()
  const clock = early()
  const { session } = await open(path, { clock })
  const after = `${folder()}/locks.db`
  // What a synchronised commit has put on the disk, and nothing of what follows. (Copied by another process: one that
  // closes a file lets go of all locks that it has on it.)
  for (const suffix of ['', '-wal']) execFileSync('cp', [path + suffix, after + suffix])
  const lost: bigint[] = []
  for (let i = 0; i < 1_000; i++) {
    const claim = request('a')
    lost.push(((await session.acquire(claim)) as Grant).tokens[0] as bigint)
    await session.remove(claim)
  }
  expect(await token(after)).toBeGreaterThan(lost.at(-1) as bigint)
})

test('the block is extended before it is used up, also within one transaction', async () => {
  const path = database()
  const clock = early()
  const [one, two] = [await open(path, { clock }), await open(path, { clock })]
  const writer = request('a')
  await one.session.acquire(writer)
  const readers = Array.from({ length: 1_500 }, () => request('a', { mode: 'shared' }))
  await Promise.all(readers.map((reader) => two.session.acquire(reader)))
  await one.session.remove(writer)
  await until(() => two.granted.length === readers.length)
  const tokens = two.granted.map(({ tokens: [first] }) => first as bigint)
  expect(new Set(tokens).size).toBe(readers.length)
  const highest = tokens.reduce((a, b) => (a > b ? a : b))
  const copy = `${folder()}/locks.db`
  for (const suffix of ['', '-wal']) execFileSync('cp', [path + suffix, copy + suffix])
  expect(await token(copy, 'b')).toBeGreaterThan(highest)
})

/** A database of its own, and what its numbers come from. */
function counted() {
  const path = database()
  const db = new DatabaseSync(path)
  cleanup(() => db.close())
  adopt(db, path)
  return { db, numbers: new Database(db, path, path), now: { mono: 0, wall: 0 } }
}

test('a number that only a synchronised commit may use runs the transaction again, as one', async () => {
  const { numbers, now } = counted()
  const first = numbers.skipBlock(now)
  const runs: number[][] = []
  const take = (count: number) =>
    numbers.transact('write', now, (tx) => {
      const run: number[] = []
      runs.push(run)
      for (let i = 0; i < count; i++) run.push(tx.number())
    })
  take(1_000)
  expect(runs).toHaveLength(1)
  take(1_000)
  expect(runs).toHaveLength(3)
  // The first of them was rolled back, and has used nothing.
  expect(runs[2]?.[0]).toBe(first + 1_001 * tokenSpacing)
  expect(numbers.skipBlock(now)).toBeGreaterThan(runs[2]?.at(-1) ?? 0)
})

test('the room behind a number is as durable as the number, wherever the count was raised to', async () => {
  const { db, numbers, now } = counted()
  numbers.skipBlock(now)
  const durable = () => Number((db.prepare('SELECT durable FROM counter').get() as { durable: number }).durable)
  const last = durable() - 1
  const { result } = numbers.transact('write', now, (tx) => {
    tx.atLeast(last)
    return tx.number()
  })
  expect(result).toBe(last)
  expect(durable()).toBeGreaterThanOrEqual(last + tokenSpacing)
})

test('tokens rise when the file was deleted, as long as the clock goes on', async () => {
  const path = database()
  const clock = new SetClock()
  const first = await open(path, { clock })
  const before = ((await first.session.acquire(request('a'))) as Grant).tokens[0] as bigint
  await first.session.close()
  rmSync(path)
  const second = await open(path, { clock })
  expect(((await second.session.acquire(request('a'))) as Grant).tokens[0]).toBeGreaterThan(before)
})

import { DatabaseSync } from 'node:sqlite'
import { decodeName, encodeName, type Grant, type Request } from '@locks/core/backend'
import { expect, test } from 'vitest'
import { cleanup, database, open, request, until } from './support.ts'

test('calls made together take effect in their order, and the refused one fails alone', async () => {
  const path = database()
  const { session } = await open(path)
  const claim = request('a')
  const [first, kind, second, gone, third] = await Promise.allSettled([
    session.acquire(claim),
    session.acquire(request('a', { mode: 'permit', permits: 2 })),
    session.acquire(request('a', { wait: false })),
    session.remove(claim),
    session.acquire(request('a')),
  ])
  expect(first).toMatchObject({ value: { id: claim.id } })
  expect(kind).toMatchObject({ reason: { code: 'INVALID_ARGUMENT' } })
  expect(second).toMatchObject({ value: null })
  expect(gone).toMatchObject({ value: true })
  expect(third).toMatchObject({ value: { tokens: [expect.any(BigInt)] } })
  expect(await session.own()).toHaveLength(1)
})

test('a repeated request finds its own entry', async () => {
  const path = database()
  const [one, two] = [await open(path), await open(path)]
  const [holder, waiter] = [request('a'), request('a')]
  const grant = await one.session.acquire(holder)
  expect(await one.session.acquire(holder)).toMatchObject({ tokens: (grant as { tokens: unknown }).tokens })
  expect(await two.session.acquire(waiter)).toBe('queued')
  expect(await two.session.acquire(waiter)).toBe('queued')
  expect(await two.session.query(encodeName('a'))).toHaveLength(2)
})

test('a set is granted when all of its names are, and holds none of them before', async () => {
  const path = database()
  const [one, two] = [await open(path), await open(path)]
  const a = request('a')
  const both = request('', { names: ['b', 'a'] })
  const b = request('b')
  await one.session.acquire(a)
  expect(await two.session.acquire(both)).toBe('queued')
  expect(await one.session.acquire(b)).toBe('queued')
  expect((await one.session.query()).filter(({ holds }) => holds)).toHaveLength(1)
  await one.session.remove(a)
  await until(() => two.granted.length === 1)
  const [grant] = two.granted
  expect(grant?.id).toBe(both.id)
  expect(grant?.tokens).toHaveLength(2)
  const entries = await one.session.query()
  // In the order of the claim's names, whatever the order of the rows.
  expect(both.names.map((name) => entries.find((each) => each.name === name && each.holds)?.token)).toEqual(
    grant?.tokens,
  )
  expect(await two.session.renew([both])).toMatchObject(new Map([[both.id, { tokens: grant?.tokens }]]))
  await two.session.remove(both)
  await until(() => one.granted.some(({ id }) => id === b.id))
})

test('a robbed claim of another session is stolen when it renews, once, and then gone', async () => {
  const path = database()
  const [one, two] = [await open(path), await open(path)]
  const victim = request('a')
  const set = request('', { names: ['a', 'b'] })
  const behind = request('b')
  const before = (await one.session.acquire(victim)) as Grant
  const thief = (await two.session.acquire(request('a', { steal: true }))) as Grant
  expect(thief.tokens[0]).toBeGreaterThan(before.tokens[0] as bigint)
  expect(await one.session.renew([victim])).toEqual(new Map([[victim.id, 'stolen']]))
  expect(await one.session.renew([victim])).toEqual(new Map([[victim.id, 'gone']]))
  // A robbed set lets go of its other names.
  await two.session.close()
  await one.session.acquire(set)
  expect(await one.session.acquire(behind)).toBe('queued')
  const three = await open(path)
  await three.session.acquire(request('a', { steal: true }))
  await until(() => one.granted.some(({ id }) => id === behind.id))
  await until(() => one.lost.some(([id, how]) => id === set.id && how === 'stolen'))
})

test('what a robbed set frees is granted, but not what the thief has taken', async () => {
  const { session, granted } = await open(database())
  const [set, waiting, c] = [request('', { names: ['b', 'c'] }), request('', { names: ['b', 'c'] }), request('c')]
  for (const each of [set, waiting, c]) await session.acquire(each)
  const thief = request('b', { steal: true })
  await session.acquire(thief)
  expect(granted).toEqual([])
  await session.remove(thief)
  await session.remove(waiting)
  expect(granted.map(({ id }) => id)).toEqual([waiting.id, c.id])
})

test('victims of the same session are told at once, and waiters keep their places', async () => {
  const path = database()
  const { session, lost, granted } = await open(path)
  const readers = [request('a', { mode: 'shared' }), request('a', { mode: 'shared' })]
  const waiters = [request('a'), request('a')]
  for (const each of [...readers, ...waiters]) await session.acquire(each)
  const thief = request('a', { steal: true })
  expect(await session.acquire(thief)).toMatchObject({ id: thief.id })
  expect(lost).toEqual(readers.map(({ id }) => [id, 'stolen']))
  await session.remove(thief)
  await session.remove(waiters[0] as Request)
  expect(granted.map(({ id }) => id)).toEqual(waiters.map(({ id }) => id))
})

test('what is told has been committed', async () => {
  const path = database()
  const { session } = await open(path)
  const other = new DatabaseSync(path, { readOnly: true })
  cleanup(() => other.close())
  const claim = request('a')
  await session.acquire(claim)
  const seen: unknown[] = []
  const two = await open(path)
  two.granted.push = (grant) => {
    seen.push(other.prepare('SELECT told FROM entry WHERE id = ? AND token IS NOT NULL').get(grant.id))
    return 1
  }
  await two.session.acquire(request('a'))
  await session.remove(claim)
  await until(() => seen.length === 1)
  expect(seen).toEqual([{ told: 1 }])
})

test('thousands of claims are renewed in several transactions, and each is answered', async () => {
  const { session } = await open(database())
  const claims = Array.from({ length: 2_000 }, (_, at) => request(`n${at}`))
  await Promise.all(claims.map((claim) => session.acquire(claim)))
  const [last] = claims.slice(-1) as [Request]
  await session.remove(last)
  const answers = await session.renew(claims)
  expect(answers.size).toBe(2_000)
  expect([...answers].filter(([, standing]) => typeof standing === 'string')).toEqual([[last.id, 'gone']])
})

test('names and owners come back as they were given', async () => {
  const { session } = await open(database())
  const names = ['', '\ud800', '\ufffd', 'a/b', 'a', 'A', "'; DROP TABLE entry", '%', '\0', 'x'.repeat(10_000)]
  await Promise.all(names.map((name) => session.acquire(request(name))))
  const entries = await session.query()
  expect(entries.map(({ name }) => decodeName(name)).sort()).toEqual([...names].sort())
})

test('namespaces never meet, also when one begins like the other', async () => {
  const path = database()
  const { session } = await open(path)
  await session.acquire(request('a'))
  for (const namespace of ['tes', 'test0', 'test_2f', 'te']) {
    const other = await open(path, { namespace })
    expect(await other.session.query()).toEqual([])
    expect(await other.session.acquire(request('a'))).toMatchObject({ tokens: [expect.any(BigInt)] })
  }
  expect(await session.query()).toHaveLength(1)
})

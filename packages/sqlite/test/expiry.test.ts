import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { child, cleanup, database, open, request, SetClock, until } from './support.ts'

test('a dead holder is passed over soon after its ttl', async () => {
  const path = database()
  const holder = child('hold', { path, ttl: 1_000 })
  await holder.next()
  const { session, granted } = await open(path, { ttl: 10_000, namespace: 'locks' })
  await session.acquire(request('lock'))
  holder.process.kill('SIGKILL')
  const killed = performance.now()
  await until(() => granted.length === 1)
  expect(performance.now() - killed).toBeLessThan(2_000)
})

test('a dead waiter is passed over', async () => {
  const path = database()
  const [one, two, three] = [await open(path), await open(path, { ttl: 1_000 }), await open(path)]
  const holder = request('a')
  await one.session.acquire(holder)
  await two.session.acquire(request('a'))
  await three.session.acquire(request('a'))
  await until(async () => (await one.session.query()).length === 2)
  await one.session.remove(holder)
  await until(() => three.granted.length === 1)
  expect(two.granted).toEqual([])
})

test('a grant by another session leaves the waiter the time that its own heartbeat has given it', async () => {
  const path = database()
  const db = new DatabaseSync(path)
  cleanup(() => db.close())
  const [one, two] = [await open(path), await open(path)]
  const [holder, waiter] = [request('a'), request('a')]
  await one.session.acquire(holder)
  await two.session.acquire(waiter)
  const expires = () => db.prepare('SELECT expires FROM entry WHERE id = ?').get(waiter.id)?.['expires']
  const before = expires()
  const removed = one.session.remove(holder)
  // Between the commit of one session and the turn in which the other learns of it.
  await removed
  expect(two.granted).toEqual([])
  expect(expires()).toBe(before)
  await until(() => two.granted.length === 1)
  expect(expires()).toBeGreaterThan(before as number)
})

test('a waiter that dies and is granted afterwards does not live longer for it', async () => {
  const path = database()
  const { session } = await open(path, { namespace: 'locks' })
  const holder = request('lock')
  await session.acquire(holder)
  const dead = child('wait', { path, ttl: 1_500 })
  await dead.next()
  await until(async () => (await session.query()).length === 2)
  const two = await open(path, { namespace: 'locks' })
  await two.session.acquire(request('lock'))
  dead.process.kill('SIGKILL')
  await dead.exit
  const killed = performance.now()
  await until(() => performance.now() - killed > 700)
  await session.remove(holder)
  expect((await session.query()).filter(({ holds }) => holds)).toHaveLength(1)
  await until(() => two.granted.length === 1)
  expect(performance.now() - killed).toBeLessThan(700 + 1_500)
})

test('an expired entry is not revived', async () => {
  const path = database()
  const clock = new SetClock()
  const { session } = await open(path, { ttl: 1_000, clock })
  const [held, waiting] = [request('a'), request('a')]
  await session.acquire(held)
  await session.acquire(waiting)
  clock.offset = 1_001
  expect(await session.renew([held, waiting])).toEqual(
    new Map([
      [held.id, 'gone'],
      [waiting.id, 'gone'],
    ]),
  )
  expect(await session.own()).toEqual([])
})

test('a wall clock that is set back does not strand a lock', async () => {
  const path = database()
  const holder = child('hold', { path, ttl: 1_000 })
  await holder.next()
  const clock = new SetClock()
  const { session, granted } = await open(path, { clock, namespace: 'locks' })
  await session.acquire(request('lock'))
  clock.offset = -3_600_000
  holder.process.kill('SIGKILL')
  const killed = performance.now()
  await until(() => granted.length === 1)
  expect(performance.now() - killed).toBeLessThan(3_000)
})

test('a wall clock that is set back does not strand a lock for those who only try', async () => {
  const path = database()
  const holder = child('hold', { path, ttl: 1_000 })
  await holder.next()
  holder.process.kill('SIGKILL')
  const clock = new SetClock()
  clock.offset = -3_600_000
  const { session } = await open(path, { clock, namespace: 'locks' })
  await until(() => session.acquire(request('lock', { wait: false })))
})

test('a wall clock that is set back does not cost a lock that is renewed', async () => {
  const path = database()
  const clock = new SetClock()
  const [one, two] = [await open(path, { ttl: 1_000 }), await open(path, { clock })]
  const holder = request('a')
  await one.session.acquire(holder)
  await two.session.acquire(request('a'))
  clock.offset = -3_600_000
  const renewals = setInterval(() => void one.session.renew([holder]), 200)
  const from = performance.now()
  await until(() => performance.now() - from > 2_500)
  clearInterval(renewals)
  expect(two.granted).toEqual([])
  await until(() => two.granted.length === 1)
})

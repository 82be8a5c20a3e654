import { Subscriptions } from '@locks/core/backend'
import { expect, test } from 'vitest'

/** A store that does what is asked of it when it is told to. */
function store() {
  const log: string[] = []
  const asked: PromiseWithResolvers<void>[] = []
  const tells: (() => void)[] = []
  const subscriptions = new Subscriptions(async (key, tell) => {
    log.push(`begin ${key}`)
    tells.push(tell)
    const answer = Promise.withResolvers<void>()
    asked.push(answer)
    await answer.promise
    return () => log.push(`end ${key}`)
  })
  return { subscriptions, log, asked, tells }
}

test('a key has one subscription, from its first listener to its last', async () => {
  const { subscriptions, log, asked } = store()
  const listen = () => {}
  const ends = ['a', 'a', 'b'].map((key) => subscriptions.add(key, listen))
  expect(log).toEqual(['begin a', 'begin b'])
  expect(subscriptions.keys).toEqual(['a', 'b'])
  asked.forEach(({ resolve }) => resolve())
  const [first, second, other] = await Promise.all(ends)
  first?.()
  first?.()
  expect(log).toEqual(['begin a', 'begin b'])
  second?.()
  other?.()
  expect(log).toEqual(['begin a', 'begin b', 'end a', 'end b'])
  expect(subscriptions.keys).toEqual([])
  void subscriptions.add('a', listen)
  expect(log.at(-1)).toBe('begin a')
})

test('it is in force when the store has said so, and tells all who listen, also before', async () => {
  const { subscriptions, asked, tells } = store()
  const told: string[] = []
  let inForce = false
  const ends = ['one', 'two'].map((who) => subscriptions.add('a', () => told.push(who)))
  const other = subscriptions.add('b', () => told.push('other'))
  void ends[0]?.then(() => (inForce = true))
  tells[0]?.()
  expect(told).toEqual(['one', 'two'])
  expect(inForce).toBe(false)
  asked.forEach(({ resolve }) => resolve())
  const [end] = await Promise.all([...ends, other])
  end?.()
  subscriptions.tell('a')
  subscriptions.tell('nobody listens')
  expect(told).toEqual(['one', 'two', 'two'])
  subscriptions.tellAll()
  expect(told).toEqual(['one', 'two', 'two', 'two', 'other'])
})

test('one that fails fails for all who wait for it, and the next is a new one', async () => {
  const { subscriptions, log, asked } = store()
  const told: string[] = []
  const ends = ['one', 'two'].map((who) => subscriptions.add('a', () => told.push(who)))
  asked[0]?.reject(new Error('no'))
  expect(await Promise.allSettled(ends)).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }])
  const again = subscriptions.add('a', () => told.push('again'))
  expect(log).toEqual(['begin a', 'begin a'])
  asked[1]?.resolve()
  await again
  subscriptions.tell('a')
  expect(told).toEqual(['again'])
})

test('once closed it ends what was in force or comes to be, tells nobody, and begins nothing', async () => {
  const { subscriptions, log, asked } = store()
  const told: string[] = []
  const ready = subscriptions.add('a', () => told.push('a'))
  asked[0]?.resolve()
  const end = await ready
  const pending = subscriptions.add('b', () => told.push('b'))
  subscriptions.close()
  subscriptions.tellAll()
  asked[1]?.resolve()
  const late = await pending
  end()
  late()
  expect(told).toEqual([])
  expect(log).toEqual(['begin a', 'begin b', 'end a', 'end b'])
  await expect(subscriptions.add('a', () => {})).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

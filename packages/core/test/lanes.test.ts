import { Lanes } from '@locks/core/backend'
import { expect, test } from 'vitest'
import { FakeClock, settled } from './fake-clock.ts'

const patience = 1_000

function lanesOn(clock = new FakeClock()) {
  const lanes = new Lanes(clock)
  const made: string[] = []
  const answers = new Map<string, () => void>()
  const call = (what: string, names = ['a'], ordered = false) => {
    const answer = new Promise<void>((resolve) => answers.set(what, resolve))
    const send = () => {
      made.push(what)
      return answer
    }
    void lanes.run(names, send, ordered ? undefined : patience).catch(() => {})
  }
  const answer = async (what: string) => {
    answers.get(what)?.()
    await settled()
  }
  return { clock, lanes, made, call, answer }
}

test('a call about a name that nobody asks about is made at once, and needs no timer', () => {
  const { clock, made, call } = lanesOn()
  call('first')
  call('other', ['b'])
  expect(made).toEqual(['first', 'other'])
  expect(clock.timers).toBe(0)
})

test('calls about a name are made one after the other', async () => {
  const { lanes, made, call, answer } = lanesOn()
  for (const what of ['first', 'second', 'third']) call(what)
  await settled()
  expect(made).toEqual(['first'])
  await answer('first')
  expect(made).toEqual(['first', 'second'])
  await answer('second')
  expect(made).toEqual(['first', 'second', 'third'])
  expect(lanes.free).toBe(false)
  await answer('third')
  expect(lanes.free).toBe(true)
})

test('a call about several names waits for what is under way about any of them', async () => {
  const { made, call, answer } = lanesOn()
  call('a', ['a'])
  call('b', ['b'])
  call('both', ['a', 'b'])
  call('c', ['c'])
  await answer('a')
  expect(made).toEqual(['a', 'b', 'c'])
  await answer('b')
  expect(made).toEqual(['a', 'b', 'c', 'both'])
})

test('a call that is not answered is waited for so long after it was made, whenever the next comes', async () => {
  const { clock, made, call } = lanesOn()
  call('silent')
  await clock.advance(patience - 100)
  call('second')
  await clock.advance(99)
  expect(made).toEqual(['silent'])
  await clock.advance(1)
  expect(made).toEqual(['silent', 'second'])
  await clock.advance(2 * patience)
  call('third')
  await settled()
  expect(made).toEqual(['silent', 'second', 'third'])
})

test('a call that fails is followed by the next', async () => {
  const { lanes, made, call } = lanesOn()
  const failing = lanes.run(['a'], () => Promise.reject(new Error('no')), patience)
  call('second')
  await expect(failing).rejects.toThrow('no')
  await settled()
  expect(made).toEqual(['second'])
})

test('where the session keeps the order, a call waits for nothing but what occupies its name', async () => {
  const { lanes, made, call } = lanesOn()
  call('first', ['a'], true)
  call('second', ['a'], true)
  expect(made).toEqual(['first', 'second'])
  let done!: () => void
  lanes.occupy(['a'], new Promise<void>((resolve) => (done = resolve)))
  call('third', ['a'], true)
  call('elsewhere', ['b'], true)
  await settled()
  expect(made).toEqual(['first', 'second', 'elsewhere'])
  done()
  await settled()
  expect(made).toEqual(['first', 'second', 'elsewhere', 'third'])
  expect(lanes.free).toBe(true)
})

test('a lane is idle when all that is under way has been answered', async () => {
  const { lanes, call, answer } = lanesOn()
  call('a', ['a'])
  call('b', ['b'])
  const seen: string[] = []
  void lanes.idle('a').then(() => seen.push('a'))
  void lanes.idle().then(() => seen.push('all'))
  await answer('a')
  expect(seen).toEqual(['a'])
  await answer('b')
  expect(seen).toEqual(['a', 'all'])
})

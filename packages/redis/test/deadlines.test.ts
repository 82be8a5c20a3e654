import type { Clock } from '@locks/core/backend'
import { expect, test } from 'vitest'
import { Deadlines } from '../src/deadlines.ts'

test('of calls that are due together, silence is told of once', async () => {
  let [mono, silences] = [0, 0]
  let due = () => {}
  const clock: Clock = {
    now: () => ({ mono, wall: mono }),
    after(_, callback) {
      due = callback
      return { cancel() {} }
    },
  }
  const deadlines = new Deadlines({
    clock,
    within: 100,
    silent: () => silences++,
    answered: () => {},
    failed: (error) => error,
  })
  const calls = Promise.allSettled(Array.from({ length: 20 }, () => deadlines.add(new Promise(() => {}))))
  mono = 100
  due()
  expect((await calls).every(({ status }) => status === 'rejected')).toBe(true)
  expect(silences).toBe(1)
})

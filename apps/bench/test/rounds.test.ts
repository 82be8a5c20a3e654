import { expect, test } from 'vitest'
import { interleave, type Contestant } from '../src/rounds.ts'
import { ratiosOf, spreadOf } from '../src/spread.ts'

test('a spread has the median and the tenth and ninetieth percentile, whatever the order', () => {
  const values = [5, 1, 9, 3, 7, 2, 8, 4, 10, 6, 0]
  expect(spreadOf(values)).toEqual({ median: 5, p10: 1, p90: 9, rounds: 11 })
  expect(spreadOf([1, 2])?.median).toBe(1.5)
  expect(spreadOf([undefined])).toBeUndefined()
})

test('a ratio is of one round: rounds that one of both sat out have none', () => {
  expect(ratiosOf([2, undefined, 6, 8], [1, 2, undefined, 4])).toEqual([2, undefined, undefined, 2])
})

test('everybody runs for a while that does not count, and then once a round, each first in turn', async () => {
  const order: string[] = []
  const runner = (name: string): Contestant => {
    return { name, once: () => new Promise((resolve) => setTimeout(() => resolve(order.push(name)), 10)) }
  }
  const { values } = await interleave([runner('a'), runner('b')], { seconds: 3, most: 3, warm: true })
  expect(order.join('')).toMatch(/^a{10,}b{10,}abbaab$/)
  expect(values.get('a')).toHaveLength(3)
})

test('who has used up its share sits out, and one that was only warmed up has its value all the same', async () => {
  const slow: Contestant = { name: 'slow', once: () => new Promise((resolve) => setTimeout(resolve, 60, 60)) }
  const fast: Contestant = { name: 'fast', once: () => Promise.resolve(1) }
  const { values } = await interleave([slow, fast], { seconds: 0.1, most: 4, warm: true })
  expect(values.get('slow')).toEqual([60, undefined, undefined, undefined])
  expect(values.get('fast')).toEqual([1, 1, 1, 1])
})

test('who fails says why, and the others go on', async () => {
  const broken: Contestant = { name: 'broken', once: () => Promise.reject(new Error('did not exclude')) }
  const sound: Contestant = { name: 'sound', once: () => Promise.resolve(1) }
  const { values, failed } = await interleave([broken, sound], { seconds: 1, most: 2, warm: false })
  expect(failed.get('broken')).toBe('did not exclude')
  expect(values.get('sound')).toEqual([1, 1])
})

import { granted } from '@locks/core/backend'
import { expect, test } from 'vitest'
import { firstOf, markOf, nodePrefix, queueOf, seatOf, victims, type Seat } from '../src/contenders.ts'

const mark = markOf('100a1b2c3d4e5f60', 1)
const numbered = (prefix: string, sequence: number) => prefix + String(sequence).padStart(10, '0')

/** Nodes by what they are, in the order in which they were made: `x` exclusive, `s` shared, `t` a thief, `p2` of 5. */
function queue(...kinds: string[]): Seat[] {
  return queueOf(kinds.map((kind, at) => numbered(`${kind.replace(/^p(\d)$/, 'p5w$1')}.${markOf('1', at)}.`, at)))
}
const shown = (seats: readonly Seat[]) => seats.map(({ sequence }) => sequence)
const newestThief = (seats: readonly Seat[]) => seats[0] as Seat

test('a name tells what its node is', () => {
  const steal = false
  const kinds = [
    [
      { mode: 'exclusive', steal },
      { mode: 'exclusive', thief: false },
    ],
    [
      { mode: 'exclusive', steal: true },
      { mode: 'exclusive', thief: true },
    ],
    [
      { mode: 'shared', steal },
      { mode: 'shared', thief: false },
    ],
    [
      { mode: 'permit', permits: 2_147_483_647, weight: 12, steal },
      { mode: 'permit', permits: 2_147_483_647, weight: 12 },
    ],
  ] as const
  for (const [request, seat] of kinds) {
    expect(seatOf(numbered(nodePrefix(request, mark), 7))).toMatchObject({ ...seat, mark, sequence: 7 })
  }
})

test('what others have put there is nobody in the queue', () => {
  const strange = [
    '',
    'x',
    'x.short.0000000001',
    `y.${mark}.0000000001`,
    `x.${mark}.1`,
    `x.${mark}.-2147483648`,
    `.${mark}`,
  ]
  expect(queueOf(strange)).toEqual([])
})

test('the mark is another for another claim, and under another session', () => {
  const marks = [markOf('1', 1), markOf('1', 11), markOf('11', 1), markOf('1', 2)]
  expect(new Set(marks).size).toBe(marks.length)
})

test('all stand as they came, but for the newest thief first', () => {
  expect(shown(queue('x', 's', 't', 's', 't', 'x'))).toEqual([4, 2, 0, 1, 3, 5])
  expect(firstOf(queue('x', 't'))?.sequence).toBe(0)
})

test('a thief robs whoever may have held when it came, and nobody else', () => {
  const rob = (atWork: boolean, ...kinds: string[]) => {
    const seats = queue(...kinds)
    return shown(victims(seats, newestThief(seats), () => atWork))
  }
  expect(rob(false, 'x', 'x', 's', 't')).toEqual([0])
  expect(rob(false, 's', 's', 'x', 's', 't')).toEqual([0, 1])
  expect(rob(false, 'p3', 'p2', 'p1', 't')).toEqual([0, 1])
  expect(rob(false, 't')).toEqual([])
  // Who came after the thief has seen it.
  expect(rob(false, 'x', 't', 'x')).toEqual([0])
  // A thief that has done its work is all there is to rob; of one that has not, also those that it left.
  expect(rob(false, 'x', 't', 't')).toEqual([1])
  expect(rob(true, 'x', 't', 't')).toEqual([1, 0])
  expect(rob(true, 'x', 't', 'x', 't', 'x', 't')).toEqual([3, 1, 0])
})

test('nobody behind a thief is granted', () => {
  expect(shown(granted(queue('s', 's', 't')))).toEqual([2])
})

import { expect, test } from 'vitest'
import { meanOf } from '../src/crowd/crowd.ts'
import { Section } from '../src/section.ts'

test('a handoff goes from the end of a turn to the beginning of the next, whoever tells of it first', () => {
  expect(
    meanOf(
      [
        [23, 24],
        [12, 20],
      ],
      10,
    ),
  ).toBe(2.5)
})

test('turns that overlap are no exclusion', () => {
  expect(() =>
    meanOf(
      [
        [12, 20],
        [19, 24],
      ],
      10,
    ),
  ).toThrow('did not exclude')
  expect(() => meanOf([[9, 12]], 10)).toThrow('did not exclude')
})

test('a section notices who should not be there', () => {
  const section = new Section(2)
  section.enter(2)
  expect(() => section.enter()).toThrow('did not exclude')
})

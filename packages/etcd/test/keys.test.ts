import { encodeName } from '@locks/core/backend'
import { describe, expect, test } from 'vitest'
import { kindOf, Keys, whoOf, type Range } from '../src/keys.ts'

const keys = new Keys('locks', encodeName('shop'))
const lease = '1f'
const names = ['foo', 'foo/bar', 'foo/', '', '/', '~', 'fo', 'foo0', 'foo.', '..', 'x'.repeat(500)].map(encodeName)
const kinds = [
  { mode: 'exclusive' },
  ...[1, 10, 2, 100].map((permits) => ({ mode: 'permit' as const, permits })),
] as const

/** Every entry that any of these names can have. */
const entries = names.flatMap((name) =>
  kinds.flatMap((contender) =>
    (['0', '1', '2'] as const).map((rank) => {
      const kind = kindOf(contender)
      return { name, kind, rank, key: keys.entry(name, { kind, rank, who: whoOf(lease, 7) }) }
    }),
  ),
)

const within = (key: Buffer, { key: from, range_end: to }: Range): boolean =>
  Buffer.compare(key, from) >= 0 && Buffer.compare(key, to) < 0

describe('the keys of a namespace', () => {
  test('are in the range of their own name and of no other', () => {
    for (const { name, key } of entries) {
      expect(names.filter((other) => within(key, keys.name(other)))).toEqual([name])
      expect(within(key, keys.names)).toBe(true)
    }
  })

  test('are of another kind than each kind but their own', () => {
    for (const { name, kind, key } of entries) {
      for (const contender of kinds) {
        const others = keys.otherKinds(name, kindOf(contender))
        expect(others.some((range) => within(key, range))).toBe(kindOf(contender) !== kind)
      }
    }
  })

  test('conflict with an exclusive one if they hold, with a shared one if they hold alone', () => {
    for (const { name, kind, rank, key } of entries.filter((entry) => entry.kind === 'lock')) {
      expect(within(key, keys.conflicting(name, { mode: 'exclusive' }))).toBe(rank !== '2')
      expect(within(key, keys.conflicting(name, { mode: 'shared' }))).toBe(rank === '0')
      expect(keys.place(key)).toMatchObject({ kind, rank })
    }
  })

  test('of a session are no name’s, and no other session’s', () => {
    const own = keys.session(lease)
    const marker = keys.marker(whoOf(lease, 7))
    for (const key of [own.key, marker]) {
      expect(within(key, own)).toBe(true)
      expect(['1', '1f0', '1f-', 'f', '2'].some((other) => within(key, keys.session(other)))).toBe(false)
      expect(within(key, keys.names)).toBe(false)
      expect(keys.place(key)).toBeUndefined()
    }
    expect([keys.marked(marker), keys.marked(own.key)]).toEqual([whoOf(lease, 7), undefined])
  })
})

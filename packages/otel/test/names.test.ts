import type { Attempt } from '@locks/core'
import { withoutIds } from '@locks/otel'
import { expect, test } from 'vitest'
import { namesOf } from '../src/names.ts'

const attempt = (...names: string[]): Attempt => ({
  names,
  mode: 'exclusive',
  backend: 'memory',
  namespace: 'locks',
  clientId: 'client',
})

test.each([
  ['order:42', 'order:?'],
  ['report', 'report'],
  ['', ''],
  ['shard7/part12', 'shard?/part?'],
  ['user-3fa85f64-5717-4562-b3fc-2c963f66afa6', 'user-?'],
  ['USER-3FA85F64-5717-4562-B3FC-2C963F66AFA6', 'USER-?'],
  ['sha/9f86d081884c7d65', 'sha/?'],
  ['feedbeef1', '?'],
  ['01ARZ3NDEKTSV4RRFFQ69G5FAV', '?'],
  ['2026-11-27T13:51', '?-?-?:?'],
  ['Größe4', 'Größe?'],
  ['konto:٤٢', 'konto:?'],
])('%j becomes %j', (name, shown) => expect(withoutIds(name)).toBe(shown))

test('a name is what the function says for each signal, each name once', () => {
  const full = (name: string, signal: string) => (signal === 'span' ? name : withoutIds(name))
  expect(namesOf(attempt('a1', 'a2'), 'metric', full)).toEqual(['a?'])
  expect(namesOf(attempt('a1', 'a2'), 'span', full)).toEqual(['a1', 'a2'])
  expect(namesOf(attempt('a1', 'b'), 'metric', (name) => (name === 'b' ? name : undefined))).toEqual(['b'])
  expect(namesOf(attempt('a'), 'span', undefined)).toEqual([])
})

test('long names are cut, and what is not Unicode becomes it', () => {
  const same = (name: string) => name
  expect(namesOf(attempt('x'.repeat(10_000)), 'metric', same)).toEqual(['x'.repeat(100)])
  expect(namesOf(attempt('half \ud800'), 'metric', same)).toEqual(['half \ufffd'])
  expect(namesOf(attempt(`${'x'.repeat(99)}😀`), 'metric', same)).toEqual([`${'x'.repeat(99)}\ufffd`])
})

import { LockError } from '@locks/core'
import { afterEach, expect, test, vi } from 'vitest'
import { watch } from '../src/commands/watch.ts'

afterEach(() => vi.restoreAllMocks())

/** What is printed while one look after the other finds this, until a signal comes. */
async function watched(looks: readonly (string | LockError)[]): Promise<string[]> {
  const printed: string[] = []
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0)
  const left = [...looks]
  const look = async () => {
    const found = left.shift() ?? 'too late'
    if (found === 'too late') process.emit('SIGINT', 'SIGINT')
    if (typeof found === 'string') return found
    throw found
  }
  expect(await watch(look, { interval: 1 })).toBe('SIGINT')
  return printed
}

test('what has not changed is not said again', async () => {
  expect(await watched(['a', 'a', 'b', 'b', 'a'])).toEqual(['a\n', 'b\n', 'a\n'])
})

test('a store that cannot be reached for a while is part of what is watched', async () => {
  const printed = await watched(['a', new LockError('UNAVAILABLE', 'it is away'), 'a'])
  expect(printed).toEqual(['a\n', '{"error":{"code":"UNAVAILABLE","message":"it is away"}}\n', 'a\n'])
})

test('what looking again will not mend ends it', async () => {
  await expect(watched([new LockError('UNSUPPORTED', 'this backend cannot list')])).rejects.toThrow('cannot list')
})

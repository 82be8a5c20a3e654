import { join } from 'node:path'
import { expect, test } from 'vitest'
import { read, World } from './support.ts'

test('fifty at once, from a shell script, never overlap', { timeout: 300_000 }, async () => {
  const world = new World()
  const script = join(import.meta.dirname, 'fifty.sh')
  const fifty = world.start('bash', [script, world.folder, process.execPath, ...world.argv([])])
  expect(await fifty.ended).toEqual({ code: 0, signal: null, stdout: '', stderr: '' })
  expect(read(join(world.folder, 'overlaps'))).toBe('')
  expect(read(join(world.folder, 'count'))).toBe('50\n')
  const tokens = read(join(world.folder, 'tokens')).trim().split('\n').map(BigInt)
  expect(tokens).toHaveLength(50)
  expect(tokens.every((token, at) => at === 0 || token > (tokens[at - 1] ?? 0n))).toBe(true)
})

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Child } from '../src/child/child.ts'
import { folder, read } from './support.ts'

test.each([
  [true, 0, 'ran\n'],
  [false, 125, ''],
])('the last look at the lock says %s', async (mayRun, ending, left) => {
  const file = join(folder(), 'file')
  const child = await Child.start(['sh', '-c', 'echo ran > "$1"', 'x', file], process.env, () => mayRun)
  expect(await child.ended).toBe(ending)
  expect(read(file)).toBe(left)
})

test('a command that cannot be started is said to be so', async () => {
  const tooLong = 'x'.repeat(4 * 1_024 * 1_024)
  await expect(Child.start(['echo', tooLong], process.env, () => true)).rejects.toMatchObject({
    code: 'NOT_STARTED',
    exitCode: 126,
    message: expect.stringContaining('E2BIG') as string,
  })
})

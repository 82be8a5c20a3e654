import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('an uncontended acquire + release in memory costs at most twice that of async-mutex', async () => {
  // In a process of its own: the test runner's module transform would be measured with it.
  const program = new URL('./cost.ts', import.meta.url).pathname
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@locks/source', program])
  const ratio = JSON.parse(stdout) as { median: number; p10: number; p90: number }
  console.log(`memory / async-mutex: ${ratio.median} (p10 ${ratio.p10}, p90 ${ratio.p90})`)
  expect(ratio.median).toBeLessThanOrEqual(2)
})

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('an uncontended acquire + release in memory costs at most twice that of async-mutex', async () => {
  // In a process of its own: the test runner's module transform would be measured with it.
  const program = new URL('./cost.ts', import.meta.url).pathname
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@locks/source', program])
  const { cpu, wall } = JSON.parse(stdout) as Record<'cpu' | 'wall', { median: number; p10: number; p90: number }>
  console.log(`memory / async-mutex: processor ${shown(cpu)}, wall clock ${shown(wall)}`)
  // The processor's time: on a busy machine the wall clock counts how others let the two take turns.
  expect(cpu.median).toBeLessThanOrEqual(2)
})

function shown({ median, p10, p90 }: { median: number; p10: number; p90: number }): string {
  return `${median} (p10 ${p10}, p90 ${p90})`
}

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('an uncontended acquire + release in memory costs at most three times that of async-mutex', async () => {
  // In a process of its own: the test runner's module transform would be measured with it.
  const program = new URL('./cost.ts', import.meta.url).pathname
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@locks/source', program])
  const { least, cpu, wall } = JSON.parse(stdout) as { least: number } & Record<'cpu' | 'wall', Spread>
  console.log(`memory / async-mutex: ${least.toFixed(2)}; processor ${shown(cpu)}, wall clock ${shown(wall)}`)
  // The processor's time: on a busy machine the wall clock counts how others let the two take turns.
  // What disturbs one of the two readings seldom disturbs the other; what it costs shows in both.
  expect(Math.min(least, cpu.median)).toBeLessThanOrEqual(3)
})

interface Spread {
  readonly median: number
  readonly p10: number
  readonly p90: number
}

function shown({ median, p10, p90 }: Spread): string {
  return `${median} (p10 ${p10}, p90 ${p90})`
}

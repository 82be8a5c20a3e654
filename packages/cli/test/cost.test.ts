import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { World } from './support.ts'

const bin = join(import.meta.dirname, '../dist/main.js')
const rounds = 15

// What users start is what is built; nothing is done where that is up to date.
beforeAll(() => {
  execFileSync('turbo', ['run', 'build', '--filter=@locks/cli...', '--output-logs=errors-only'], {
    cwd: join(import.meta.dirname, '../../..'),
    stdio: 'ignore',
  })
}, 300_000)

/** Milliseconds to the end of a process, or to the time on the wall clock that it says it was by then. */
function took(args: readonly string[], env: NodeJS.ProcessEnv, says = false): number {
  const started = Date.now()
  const from = performance.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' })
  const ms = says ? Number(stdout) - started : performance.now() - from
  expect({ args, status, stderr }).toEqual({ args, status: 0, stderr: '' })
  return ms
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

test.each([
  ['--version', ['--version'], false],
  ['ls', ['ls'], false],
  ['run, up to its command,', ['run', 'a', '--', 'date', '+%s%3N'], true],
])('%s takes at most four times what `node -e 0` takes', { timeout: 300_000 }, (what, args, says) => {
  const { env } = new World()
  const [bare, ours]: [number[], number[]] = [[], []]
  // The first start fills the cache.
  took([bin, ...args], env, says)
  // Each first in turn, so that whatever else the machine does falls on both.
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) bare.push(took(['-e', '0'], env))
    ours.push(took([bin, ...args], env, says))
    if (round % 2 === 1) bare.push(took(['-e', '0'], env))
  }
  const ratio = median(ours.map((ms, round) => ms / (bare[round] ?? Number.NaN)))
  console.log(`${what} ${ratio.toFixed(2)} times node -e 0 (${median(ours).toFixed(0)} ms)`)
  expect(ratio).toBeLessThan(4)
})

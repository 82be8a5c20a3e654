import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { workloadNames } from '../src/names.ts'
import type { Result } from '../src/result.ts'

const folder = mkdtempSync(join(tmpdir(), 'locks-bench-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

// What needs a network, and what needs built packages, is left to `pnpm bench --quick`.
const chosen = workloadNames.filter((name) => name !== 'slow-network' && name !== 'start')

test('a quick run of the backends without servers has every subject at every workload, and leaves a page', async () => {
  const program = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  const args = ['--quick', '--backend', 'memory', '--backend', 'sqlite', '--out', folder]
  const workloads = chosen.flatMap((name) => ['--workload', name])
  await promisify(execFile)(process.execPath, ['--conditions=@locks/source', program, ...args, ...workloads])
  const result = JSON.parse(readFileSync(join(folder, 'bench.json'), 'utf8')) as Result
  expect(result.failures).toEqual([])
  expect([...new Set(result.tables.map(({ workload }) => workload))].toSorted()).toEqual(chosen.toSorted())
  for (const { rows } of result.tables) {
    for (const row of rows) expect([row.subject, row.ratio ?? row.cannot]).not.toContain(undefined)
  }
  expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('A smoke test')
}, 60_000)

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { absences, cases, declaredAbsent } from '@locks/core/conformance'
import { expect, onTestFinished, test } from 'vitest'
import { contractOf, staleContract } from '../src/backends/contract.ts'
import { forms } from '../src/backends/forms.ts'
import { root } from '../src/files.ts'
import { rowsOf, tablesOf } from '../src/tables.ts'

test('every backend whose promises are written down is in the tables', () => {
  const reports = new Set(forms.flatMap((form) => form.reports))
  expect(Object.keys(declaredAbsent).filter((name) => !reports.has(name))).toEqual([])
})

test.each(forms.map((form) => [form.label, form] as const))(
  '%s: the page says what its code promises',
  (label, form) => {
    const page = readFileSync(join(root, 'docs/backends.md'), 'utf8')
    const rowOf = (...titles: string[]) =>
      rowsOf(page, ...titles).find(({ backend = '' }) => backend.startsWith(`[${label}]`))
    expect(rowOf('fencing tokens')).toMatchObject({
      'exclusion reaches': form.capabilities.scope,
      'fencing tokens': form.capabilities.fencing,
      order: form.capabilities.order,
    })
    const { steal = true, shared = true } = absences(form.capabilities)
    expect(rowOf('shared', 'steal')).toMatchObject({ shared: shared ? 'yes' : '–', steal: steal ? 'yes' : '–' })
  },
)

const reports = Object.keys(declaredAbsent)

/** What a test of these cases of a backend leaves. */
function leave(folder: string, report: string, ids: readonly string[]): void {
  const lines = ids.map((id) => `${JSON.stringify({ id, outcome: 'pass' })}\n`)
  writeFileSync(join(folder, `${report}.jsonl`), lines.join(''))
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'locks-reports-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

test('the contract is counted where the tests have left every case', () => {
  const folder = newFolder()
  const ids = cases.map(({ id }) => id)
  for (const report of reports) leave(folder, report, ids)
  const { rows, missing } = contractOf(folder, ({ label }) => label)
  expect(missing).toEqual([])
  expect(rows).toHaveLength(reports.length)
  expect(rows).toContainEqual(['Redis', 'redis', String(ids.length), String(ids.length), '0', '0'])
})

test('reports that are missing, or without a case that has failed, are named', () => {
  const folder = newFolder()
  const ids = cases.map(({ id }) => id)
  for (const report of reports.filter((each) => each !== 'etcd')) leave(folder, report, ids)
  leave(folder, 'redis', ids.slice(1))
  const { rows, missing } = contractOf(folder, ({ label }) => label)
  expect(rows).toHaveLength(reports.length - 2)
  expect(missing.toSorted()).toEqual(['etcd: none', `redis: ${ids.length - 1} of ${ids.length} kept`])
})

test('the page tells of every case on every backend', () => {
  const rows = tablesOf(readFileSync(join(root, 'docs/backends.md'), 'utf8')).flat()
  expect(staleContract(rows)).toEqual([])
  const one = rows.map((row) => (row[1] === 'etcd' ? row.with(2, '1') : row))
  expect(staleContract(one)).toEqual(['etcd'])
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { absences, declaredAbsent } from '@locks/core/conformance'
import { expect, test } from 'vitest'
import { forms } from '../src/backends/forms.ts'
import { root } from '../src/files.ts'
import { rowsOf } from '../src/tables.ts'

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

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cases, declaredAbsent, readReport } from '@locks/core/conformance'
import { forms, type Form } from './forms.ts'

/** Those whose promises are written down are held to the contract by `npm test`; others are for campaigns only. */
const tested = forms.flatMap((form) =>
  form.reports.filter((report) => Object.hasOwn(declaredAbsent, report)).map((report) => ({ form, report })),
)
const outcomes = ['pass', 'refused as declared', 'out of scope']

export const contractTitles = ['backend', 'as', 'cases', ...outcomes] as const

export interface Contract {
  readonly rows: readonly string[][]
  /** Of which backends there is not everything, and how much there is. */
  readonly missing: readonly string[]
}

/** What a whole `npm test` has left in this folder. */
export function contractOf(folder: string, name: (form: Form) => string): Contract {
  const rows: string[][] = []
  const missing: string[] = []
  for (const { form, report } of tested) {
    const file = join(folder, `${report}.jsonl`)
    // A case that fails leaves nothing.
    const left = existsSync(file) ? readReport(file) : new Map<string, string>()
    const found = cases.flatMap(({ id }) => left.get(id) ?? [])
    const counts = outcomes.map((wanted) => found.filter((outcome) => outcome === wanted).length)
    if (found.length === cases.length) rows.push([name(form), report, ...[cases.length, ...counts].map(String)])
    else missing.push(`${report}: ${found.length === 0 ? 'none' : `${found.length} of ${cases.length} kept`}`)
  }
  return { rows, missing }
}

/** Of which backends these rows do not say that every case of today was kept. */
export function staleContract(rows: readonly (readonly string[])[]): string[] {
  const whole = ([, , all, ...counts]: readonly string[]) =>
    Number(all) === cases.length && counts.reduce((sum, each) => sum + Number(each), 0) === cases.length
  return tested.filter(({ report }) => !rows.some((row) => row[1] === report && whole(row))).map(({ report }) => report)
}

import { shortfalls, type Requirements } from '../capabilities.ts'
import { refusals, type Case, type Outcome } from './case.ts'
import { cases as allCases } from './cases/index.ts'
import { Context } from './context.ts'
import type { Harness } from './harness.ts'
import type { Report } from './report.ts'

/** The part of a test runner that the suite needs; vitest's and `node:test`'s `test` both fit. */
export type Test = (title: string, run: () => Promise<void>) => unknown

export interface BindOptions {
  /** The runner's own function. */
  readonly test: Test
  readonly harness: Harness
  /** Told of each case that did not fail, for tables. */
  readonly report?: Report | undefined
}

/** Registers every case of the contract with a test runner. */
export function conformance({ test, harness, report }: BindOptions): void {
  for (const each of allCases) {
    test(`${each.id}: ${each.title}`, async () => {
      const outcome = await runCase(each, harness)
      report?.({ id: each.id, outcome })
    })
  }
}

/** Runs one case, or, where the backend declares that it lacks what the case needs, the opposite one. */
export async function runCase(each: Case, harness: Harness): Promise<Outcome> {
  const t = new Context(harness, each.id)
  const requires = each.requires ?? {}
  const missing = shortfalls(harness.capabilities, requires) as (keyof Requirements)[]
  try {
    for (const key of missing) await refuse(t, key, requires)
    if (missing.length === 0) await each.run(t)
  } finally {
    await t.end()
  }
  if (missing.length === 0) return 'pass'
  return missing.includes('scope') ? 'out of scope' : 'refused as declared'
}

function refuse<K extends keyof Requirements>(t: Context, key: K, requires: Requirements): Promise<void> {
  const refusal = refusals[key] as (t: Context, wanted: unknown) => Promise<void>
  return refusal(t, requires[key])
}

import { Findings, type Verdict } from './verdict.ts'

/** What is left once everybody has closed: at the store, or of a client's process. */
export interface Leftover {
  readonly where: string
  readonly what: readonly string[]
}

/** Nothing is left. */
export function residue(left: readonly Leftover[], at: number): Verdict {
  const findings = new Findings('residue after close')
  for (const { where, what } of left) {
    findings.checked++
    if (what.length > 0) findings.add({ message: `${where}: ${what.slice(0, 5).join(', ')}`, at, records: [] })
  }
  return findings.verdict()
}

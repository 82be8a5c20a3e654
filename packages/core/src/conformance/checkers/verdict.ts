import type { Fault } from './history.ts'

/** One thing that should not have been. */
export interface Finding {
  readonly message: string
  /** When it began. */
  readonly at: number
  readonly name?: string | undefined
  /** The `id`s of the records that show it. */
  readonly records: readonly number[]
}

/** What a checker says of a history. */
export interface Verdict {
  readonly checker: string
  /** How many cases it looked at: a verdict on none says nothing. */
  readonly checked: number
  readonly violations: readonly Finding[]
  /** The same, where a fault that had been declared explains it. */
  readonly excused: readonly (Finding & { readonly by: string })[]
}

/** Collects what one checker finds. */
export class Findings {
  readonly #checker: string
  readonly #violations: Finding[] = []
  readonly #excused: (Finding & { by: string })[] = []
  checked = 0

  constructor(checker: string) {
    this.#checker = checker
  }

  /** `by`: what excuses it, if anything. */
  add(finding: Finding, by?: string): void {
    if (by === undefined) this.#violations.push(finding)
    else this.#excused.push({ ...finding, by })
  }

  verdict(): Verdict {
    return {
      checker: this.#checker,
      checked: this.checked,
      violations: this.#violations,
      excused: this.#excused,
    }
  }
}

/** The kind of the first fault that was in force at any time between the two moments. */
export function faultWithin(faults: readonly Fault[], from: number, until: number): string | undefined {
  return faults.find((fault) => fault.from <= until && (fault.until ?? Number.POSITIVE_INFINITY) >= from)?.kind
}

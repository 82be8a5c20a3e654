import { parseArgs } from 'node:util'
import { backendNames, workloadNames, type BackendName, type WorkloadName } from './names.ts'

export const usage = `Usage: pnpm bench [options]

  --quick          every workload and subject once, small: a smoke test of the checks, without bounds
  --backend NAME   ${backendNames.join(', ')}; may be repeated, all unless said otherwise
  --workload NAME  ${workloadNames.slice(0, 6).join(', ')},
                   ${workloadNames.slice(6).join(', ')}; may be repeated, all unless said otherwise
  --out FOLDER     where report.html and bench.json go; .reports/bench unless said otherwise
  --against FILE   an earlier bench.json, whose ratios are compared; docs/bench.json unless said otherwise

Ends with 0, or 1 where a ratio has become worse than the spread explains, or 2 where something could not run.`

export class UsageError extends Error {}

export interface Wanted {
  readonly quick: boolean
  readonly backends: readonly BackendName[]
  readonly workloads: readonly WorkloadName[]
  readonly out: string
  readonly against: string
  readonly help: boolean
}

const options = {
  quick: { type: 'boolean' },
  backend: { type: 'string', multiple: true },
  workload: { type: 'string', multiple: true },
  out: { type: 'string' },
  against: { type: 'string' },
  help: { type: 'boolean' },
} as const

export function parse(args: readonly string[]): Wanted {
  const given = valuesOf(args)
  return {
    quick: given.quick ?? false,
    backends: chosen('backend', given.backend, backendNames),
    workloads: chosen('workload', given.workload, workloadNames),
    out: given.out ?? '.reports/bench',
    against: given.against ?? 'docs/bench.json',
    help: given.help ?? false,
  }
}

function valuesOf(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, strict: true }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function chosen<T extends string>(
  what: string,
  given: readonly string[] | undefined,
  known: readonly T[],
): readonly T[] {
  const stranger = given?.find((name) => !known.includes(name as T))
  if (stranger !== undefined) throw new UsageError(`there is no ${what} ${JSON.stringify(stranger)}`)
  return known.filter((name) => !given || given.includes(name))
}

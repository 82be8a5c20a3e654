import { parseArgs } from 'node:util'

export const usage = `Usage: npm run demo [-- URL | --all]

Sells a stock from many processes: without a lock, with one, and with holders that are killed and stopped.

  URL      where the locks are kept, for instance sqlite:/tmp/locks.db or redis://localhost;
           the environment variable LOCKS_URL says the same. Without either: an SQLite file in a
           temporary folder. The backend has to serve several processes, so memory: will not do.
  --all    starts the servers of every backend by itself, plays on each, and prints one table
  --help   prints this

Exit code: 0 if every act went as it must, 1 if not, 2 if the arguments or the backend will not do.`

/** The arguments cannot be understood. */
export class UsageError extends Error {}

export interface Wanted {
  readonly help: boolean
  /** On every backend, instead of on the URL's. */
  readonly all: boolean
  readonly url: string | undefined
}

export function parse(args: string[]): Wanted {
  const { values, positionals } = parsed(args)
  if (positionals.length > 1) throw new UsageError(`one URL at most; got ${positionals.length} arguments`)
  const { help = false, all = false } = values
  if (all && positionals.length > 0) throw new UsageError('either a URL or --all')
  return { help, all, url: positionals[0] ?? (process.env.LOCKS_URL || undefined) }
}

const options = { help: { type: 'boolean', short: 'h' }, all: { type: 'boolean' } } as const

function parsed(args: string[]) {
  try {
    return parseArgs({ args, allowPositionals: true, options })
  } catch (error) {
    // Node's own words name the option.
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

import type { Ending } from '../child/ending.ts'
import { span } from '../durations.ts'
import { json, visible } from '../output/escape.ts'
import { table } from '../output/table.ts'
import { print } from '../output/tell.ts'
import { withStore, type StoreOptions } from '../store/connect.ts'
import { described, kindOf, type Contender, type Described } from './described.ts'
import { watch, type WatchOptions } from './watch.ts'

export type InspectOptions = StoreOptions & WatchOptions

/** One name: who holds it, and who waits, in order. */
export function inspect(name: string, options: InspectOptions): Promise<Ending> {
  return withStore(options, async (locks) => {
    const look = async () => {
      const { held, pending } = await locks.query(name)
      const found = described(name, held, pending)
      return options.json ? json(found) : text(found)
    }
    if (options.watch) return watch(look, options)
    print(await look())
    return 0
  })
}

function text({ name, held, waiting }: Described): string {
  if (held.length + waiting.length === 0) return `${visible(name)} is free`
  const rows = [
    ...held.map((each) => row('holds', each)),
    ...waiting.map((each, at) => row(`waits, place ${at + 1}`, each)),
  ]
  return `${visible(name)}\n${table(['', 'OWNER', 'MODE', 'TOKEN', 'FOR', 'CLIENT'], rows)}`
}

function row(what: string, contender: Contender): string[] {
  const { owner, token = '-', ageMs, clientId } = contender
  return [what, visible(owner), kindOf(contender), token, ageMs === undefined ? '-' : span(ageMs), visible(clientId)]
}

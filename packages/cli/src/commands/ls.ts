import type { LockInfo } from '@locks/core'
import type { Ending } from '../child/ending.ts'
import { span } from '../durations.ts'
import { json, visible } from '../output/escape.ts'
import { table } from '../output/table.ts'
import { print } from '../output/tell.ts'
import { withStore, type StoreOptions } from '../store/connect.ts'
import { described, kindOf, type Described } from './described.ts'
import { watch, type WatchOptions } from './watch.ts'

export type LsOptions = StoreOptions & WatchOptions

/** All names that are held or waited for. */
export function ls(options: LsOptions): Promise<Ending> {
  return withStore(options, async (locks) => {
    const look = async () => {
      const { held, pending } = await locks.query()
      const names = [...new Set([...held, ...pending].map(({ name }) => name))].sort()
      const of = (entries: readonly LockInfo[], name: string) => entries.filter((entry) => entry.name === name)
      const all = names.map((name) => described(name, of(held, name), of(pending, name)))
      return options.json ? json(all) : text(all)
    }
    if (options.watch) return watch(look, options)
    print(await look())
    return 0
  })
}

function text(all: readonly Described[]): string {
  if (all.length === 0) return 'nothing is held or waited for'
  const rows = all.map(({ name, held, waiting }) => {
    const [first, ...more] = held
    const owner = first ? visible(first.owner) + (more.length > 0 ? ` and ${more.length} more` : '') : '-'
    const age = first?.ageMs === undefined ? '-' : span(first.ageMs)
    const kind = kindOf(first ?? waiting[0])
    return [visible(name), kind, owner, first?.token ?? '-', age, String(waiting.length)]
  })
  return table(['NAME', 'MODE', 'OWNER', 'TOKEN', 'AGE', 'WAITERS'], rows)
}

import type { Leader } from '@locks/core'
import type { Ending } from '../child/ending.ts'
import { Signals } from '../child/signals.ts'
import { span } from '../durations.ts'
import { json, visible } from '../output/escape.ts'
import { print } from '../output/tell.ts'
import { withStore, type StoreOptions } from '../store/connect.ts'

export interface LeaderOptions extends StoreOptions {
  readonly json?: boolean | undefined
  readonly watch?: boolean | undefined
}

/** Who leads: the value that it campaigned with first, which is what a script wants to have. */
export function leader(name: string, options: LeaderOptions): Promise<Ending> {
  return withStore(options, async (locks) => {
    const election = locks.election(name)
    const shown = (found: Leader | null) => (options.json ? json(found && plain(found)) : text(name, found))
    if (!options.watch) {
      print(shown(await election.leader()))
      return 0
    }
    const stop = new AbortController()
    let stopped: NodeJS.Signals | undefined
    new Signals({
      ending(signal) {
        stopped = signal
        stop.abort()
      },
    })
    try {
      for await (const found of election.observe({ signal: stop.signal })) print(shown(found))
    } catch (error) {
      if (!stopped) throw error
    }
    return stopped ?? 0
  })
}

function text(name: string, found: Leader | null): string {
  if (!found) return `nobody leads ${visible(name)}`
  const { value, owner, token, since } = found
  const known = [
    `owner ${visible(owner)}`,
    ...(token === undefined ? [] : [`token ${token}`]),
    ...(since === undefined ? [] : [`for ${span(ageOf(since))}`]),
  ]
  return `${visible(value)}\t${known.join(', ')}`
}

function plain({ since, token, ...rest }: Leader): object {
  return { ...rest, token: token?.toString(), ageMs: since === undefined ? undefined : ageOf(since) }
}

/** Clocks differ. */
const ageOf = (since: number): number => Math.max(0, Math.round(Date.now() - since))

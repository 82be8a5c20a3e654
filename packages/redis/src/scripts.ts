import { createHash } from 'node:crypto'
import { acquire, acquireSeveral } from './lua/acquire.ts'
import { query } from './lua/query.ts'
import { raise } from './lua/raise.ts'
import { remove } from './lua/remove.ts'
import { renew } from './lua/renew.ts'

export interface Script {
  readonly text: string
  /** The name under which a server that has seen the text runs it. */
  readonly sha: string
}

/** What a script is written for: written into it, so that it need not be sent with every call. */
export interface ScriptSettings {
  readonly channels: string
  readonly remember: number
  /** A server that has been restarted knows the scripts for those ttls for which it may grant again. */
  readonly ttl: number
}

/** One a verb. */
export type Scripts = Readonly<Record<'acquire' | 'acquireSeveral' | 'renew' | 'remove' | 'raise' | 'query', Script>>

const written = new Map<string, Scripts>()

export function scriptsFor({ channels, remember, ttl }: ScriptSettings): Scripts {
  const head = `local channels, remember, ttl = '${channels}', '${remember}', ${ttl}\n`
  const made = written.get(head) ?? {
    acquire: script(head + acquire),
    acquireSeveral: script(head + acquireSeveral),
    renew: script(head + renew),
    remove: script(head + remove),
    raise: script(head + raise),
    query: script(query),
  }
  written.set(head, made)
  return made
}

export function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

import { createHash } from 'node:crypto'
import { acquire } from './lua/acquire.ts'
import { query } from './lua/query.ts'
import { remove } from './lua/remove.ts'
import { renew } from './lua/renew.ts'

export interface Script {
  readonly text: string
  /** The name under which a server that has seen the text runs it. */
  readonly sha: string
}

/** One a verb; `acquire` is one for each ttl, because what a server may grant after a restart depends on it. */
export const scripts = {
  acquire: (ttl: number): Script => {
    const made = acquires.get(ttl) ?? script(`${acquire}-- ${ttl}`)
    acquires.set(ttl, made)
    return made
  },
  renew: script(renew),
  remove: script(remove),
  query: script(query),
}

const acquires = new Map<number, Script>()

export function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

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

/** One a verb. */
export const scripts = {
  acquire: script(acquire),
  renew: script(renew),
  remove: script(remove),
  query: script(query),
}

export function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

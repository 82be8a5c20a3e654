import { Program } from '../program.ts'
import type { KeeperVerbs } from './verbs.ts'

let started: Program<KeeperVerbs> | undefined

/** This process's keeper: the parent of the servers that it starts, and the owner of their folders. */
export function keeper(): Program<KeeperVerbs> {
  started ??= new Program(new URL('./program.ts', import.meta.url), { detached: true })
  return started
}

import { LockError } from '../errors.ts'
import type { Asked } from './asks.ts'
import type { Ballot, Electorate } from './ballot.ts'
import { atLeast } from './gather.ts'
import type { Node } from './node.ts'

/** Who is asked at once: not who was silent before, unless there is no majority without it. */
export function electors({ nodes, majority }: Electorate): readonly Node[] {
  const sound = nodes.filter(({ doubtful }) => !doubtful)
  return sound.length < majority ? nodes : sound
}

/** Whether a majority of those who were asked at once has granted. */
export function allAtOnce(asked: readonly Asked[], majority: number): Promise<boolean> {
  return atLeast(
    majority,
    asked.map(({ news }) => news.then((how) => how === 'granted')),
  )
}

/** Whether so many have been heard of: each has granted, queued or refused. */
export function answered(asked: readonly Asked[], majority: number): Promise<boolean> {
  return atLeast(
    majority,
    asked.map(({ news }) => news.then((how) => typeof how === 'string')),
  )
}

export interface OneByOne {
  readonly wait: boolean
  /** One that has been asked already: those before it were silent. */
  readonly first?: Asked | undefined
  /** For how many milliseconds to wait at one node with votes of others in hand. */
  readonly atMost?: number | undefined
  /** Whether nobody wants it any more. */
  readonly over: () => boolean
}

/** Whether a majority has granted, asked one after the other in the order that is the same for all. */
export async function oneByOne(
  ballot: Ballot,
  { nodes, majority }: Electorate,
  { wait, first, atMost, over }: OneByOne,
): Promise<boolean> {
  for (const node of first ? nodes.slice(nodes.indexOf(first.node)) : nodes) {
    if (node.doubtful) continue
    const { answer } = node === first?.node ? first : ballot.ask(node, wait, ballot.count > 0 ? atMost : undefined)
    const how = await answer
    if (over()) return false
    if (ballot.count >= majority) return true
    if (how === 'too long' || (!wait && how === 'refused')) return false
  }
  return false
}

/** Why there is no majority. */
export async function tooFew(asked: readonly Asked[], { nodes, majority }: Electorate): Promise<LockError> {
  const failures = (await Promise.all(asked.map(({ answer }) => answer))).filter((how) => typeof how === 'object')
  const final = failures.find(({ temporary }) => !temporary)
  // A call that went unanswered may have been applied, and is being undone.
  const message = `fewer than ${majority} of the ${nodes.length} nodes have answered`
  return final ?? new LockError('OUTCOME_UNKNOWN', message, { cause: failures[0] })
}

import type { Asked } from './asks.ts'
import type { Ballot, Electorate } from './ballot.ts'
import { atLeast } from './gather.ts'

/** Whether a majority of all who were asked at once has granted. */
export function allAtOnce(asked: readonly Asked[], majority: number): Promise<boolean> {
  const isGranted = ({ news }: Asked) => news.then((how) => how === 'granted')
  const sound = asked.filter(({ node }) => !node.doubtful)
  // Whoever was silent before is welcome, but not waited for, unless there is no majority without it.
  const awaited = sound.length < majority ? asked : sound
  return Promise.race([atLeast(majority, asked.map(isGranted)), atLeast(majority, awaited.map(isGranted))])
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
    if (!wait && how === 'refused') return false
  }
  return false
}

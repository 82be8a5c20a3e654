import { granted, type Contender, type Mode } from '@locks/core/backend'

/** One node of a name's queue, as its own name tells. */
export interface Seat extends Contender {
  readonly node: string
  /** Whose it is: see `markOf`. */
  readonly mark: string
  /** In the order in which they were made. */
  readonly sequence: number
  /** Took the name by force, and stands before everybody who came before it. */
  readonly thief: boolean
}

/** Everything but the sequence, which the server appends: `x.mark.`, `s.mark.`, `t.mark.`, `p4w1.mark.`. */
export function nodePrefix(request: Contender & { readonly steal: boolean }, mark: string): string {
  return `${kindOf(request)}.${mark}.`
}

function kindOf({ mode, permits, weight, steal }: Contender & { readonly steal: boolean }): string {
  if (steal) return 't'
  if (mode === 'exclusive') return 'x'
  return mode === 'shared' ? 's' : `p${permits}w${weight ?? 1}`
}

/**
 * What a node's name shows of the claim that it is. The claim's id is a secret, and every client may read the name, so it is
 * a number. The session is part of it, so that what an earlier session has left is never taken for one's own.
 */
export const markOf = (session: string, number: number): string => `${session}-${number}`

const modes: Readonly<Record<string, Mode>> = { x: 'exclusive', t: 'exclusive', s: 'shared', p: 'permit' }

export function seatOf(node: string): Seat | undefined {
  const parts = /^(?:([xst])|(p)(\d+)w(\d+))\.([\da-f]+-\d+)\.(\d{10})$/.exec(node)
  if (!parts) return undefined
  const [, lock, semaphore, permits, weight, mark = '', sequence] = parts
  const kind = lock ?? semaphore ?? ''
  return {
    node,
    mark,
    sequence: Number(sequence),
    thief: kind === 't',
    mode: modes[kind] ?? 'exclusive',
    ...(semaphore && { permits: Number(permits), weight: Number(weight) }),
  }
}

/** The children of a name in the order of the queue: the newest thief first, then all others as they came. */
export function queueOf(children: readonly string[]): Seat[] {
  const seats = children.flatMap((child) => seatOf(child) ?? [])
  return seats.sort((a, b) => {
    if (a.thief !== b.thief) return a.thief ? -1 : 1
    return a.thief ? b.sequence - a.sequence : a.sequence - b.sequence
  })
}

/** Who came first: what it is says of which kind the name is. */
export function firstOf(queue: readonly Seat[]): Seat | undefined {
  return queue.reduce<Seat | undefined>(
    (first, seat) => (first && first.sequence < seat.sequence ? first : seat),
    undefined,
  )
}

/**
 * From whom a thief takes the name: everybody who may hold it by what they saw before it came. Of another thief that
 * was still about its work, also those that it was to rob.
 */
export function victims(queue: readonly Seat[], thief: Seat, atWork: (other: Seat) => boolean): Seat[] {
  const before = queue.filter(({ sequence }) => sequence < thief.sequence)
  const [first, ...rest] = before
  if (!first?.thief) return granted(before)
  return [first, ...(atWork(first) ? victims(rest, first, atWork) : [])]
}

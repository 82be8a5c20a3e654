import { setTimeout as sleep } from 'node:timers/promises'
import { now } from '../now.ts'
import type { Acquire } from '../records.ts'
import type { Belief } from './belief.ts'
import type { Port } from './port.ts'

/** Milliseconds between two looks at the lock. */
const step = 20

const modes = [{ checked: true }, { checked: false }] as const

/**
 * What is done under a lock: each resource is read, and after a while written on the ground of what was read; by a
 * shared holder it is read twice. Careless on purpose: nobody asks whether the lock is still held before the write,
 * as a program does not that was stopped just there.
 */
export async function section(calls: readonly Acquire[], belief: Belief, lasts: number, port: Port): Promise<void> {
  const works = calls
    .filter(({ mode }) => mode !== 'permit')
    .flatMap((call) => modes.map((each) => ({ call, ...each })))
  const bases = await Promise.all(works.map((work) => touch(work, 'read', port)))
  await linger(belief, lasts)
  const last = ({ call }: Work) => (call.mode === 'shared' ? 'read' : 'write')
  await Promise.all(works.map((work, at) => touch(work, last(work), port, bases[at])))
}

/** Holds on to a lock, and looks at it from time to time. */
async function linger(belief: Belief, lasts: number): Promise<void> {
  const end = now() + lasts
  for (let left = lasts; left > 0; left = end - now()) {
    await sleep(Math.min(step, left))
    belief.read()
  }
}

interface Work {
  readonly call: Acquire
  readonly checked: boolean
}

/** Undefined: refused. */
async function touch(
  { call, checked }: Work,
  action: 'read' | 'write',
  port: Port,
  base?: string | null,
): Promise<string | null | undefined> {
  // What could not be read cannot be the ground of anything.
  if (action === 'write' && base === undefined) return undefined
  const { id, name, mode, token } = call
  const answer = await port.access({
    resource: `${name} ${checked ? 'checked' : 'unchecked'}`,
    checked,
    action,
    mode,
    token,
    acquire: id,
    invoked: now(),
    ...(action === 'write' && base !== undefined && { base, element: `${call.client}/${id}` }),
  })
  return answer.accepted ? answer.base : undefined
}

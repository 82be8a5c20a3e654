import { invalid, shown, unsupported } from './errors.ts'

/**
 * What a backend promises, as data. A field says what holds in every supported deployment of it; a promise that is
 * not made is a request that is refused, never one that half works.
 */
export interface Capabilities {
  /** How far exclusion reaches: the processes of one machine, all machines, or one process only. */
  readonly scope: 'process' | 'machine' | 'network'
  /** `durable`: tokens rise over crashes and restarts of everybody; `volatile`: while the store keeps its data. */
  readonly fencing: 'durable' | 'volatile' | 'none'
  /** Whether its sessions can `raise` tokens, as a quorum needs it of its nodes. */
  readonly raises?: boolean
  /** `fifo`: grants follow arrival at the store, head of line. */
  readonly order: 'fifo' | 'none'
  readonly shared: boolean
  readonly semaphore: boolean
  /** Whether a lock can be taken from its holder without harm to other locks. */
  readonly steal: boolean
  /** `atomic`: several names are granted in one step; `ordered`: one after the other, in one order for all. */
  readonly sets: 'atomic' | 'ordered'
  /** Whether an entry can have a value, and changes of who holds one are told. */
  readonly elections: boolean
  /** Whether `query()` without a name lists everything. */
  readonly listing: 'complete' | 'none'
  /** Whether a connection that fails for less than the ttl loses no lock. */
  readonly reconnects: boolean
  /** Milliseconds that a client may ask for. */
  readonly ttl: { readonly min: number; readonly max: number }
  /** Milliseconds after the ttl within which a dead holder's lock goes to the next waiter. */
  readonly takeover: number
}

/** The promises that an application can ask for, each with its values from the weakest to the strongest. */
const ranks = {
  scope: ['process', 'machine', 'network'],
  fencing: ['none', 'volatile', 'durable'],
  order: ['none', 'fifo'],
  shared: [false, true],
  semaphore: [false, true],
  steal: [false, true],
  sets: ['ordered', 'atomic'],
  elections: [false, true],
  listing: ['none', 'complete'],
  reconnects: [false, true],
} as const satisfies { [K in keyof Capabilities]?: readonly Capabilities[K][] }

/** The weakest promises an application can live with; `openLocks` refuses a backend that makes less. */
export type Requirements = { readonly [K in keyof typeof ranks]?: Capabilities[K] }

/** Refuses requirements that nobody could meet because they are misspelt. */
export function checkRequirements(required: unknown): asserts required is Requirements {
  if (typeof required !== 'object' || required === null) {
    throw invalid(`require must be an object, not ${shown(required)}`)
  }
  for (const [key, value] of Object.entries(required)) {
    const values: readonly unknown[] | undefined = ranks[key as keyof typeof ranks]
    if (!Object.hasOwn(ranks, key) || !values) {
      throw invalid(`unknown requirement ${shown(key)}; known are ${Object.keys(ranks).join(', ')}`)
    }
    if (value !== undefined && !values.includes(value)) {
      throw invalid(`require.${key} must be one of ${values.map(shown).join(', ')}; got ${shown(value)}`)
    }
  }
}

/** Whether the promises made are at least those required; the names of those that fall short. */
export function shortfalls(capabilities: Capabilities, required: Requirements): string[] {
  return (Object.keys(required) as (keyof Requirements)[]).filter((key) => {
    const values: readonly unknown[] = ranks[key]
    return required[key] !== undefined && values.indexOf(capabilities[key]) < values.indexOf(required[key])
  })
}

/** The promises that a backend does not make in full, with what it makes instead. */
export function absences(capabilities: Capabilities): Requirements {
  const keys = Object.keys(ranks) as (keyof Requirements)[]
  return Object.fromEntries(
    keys.filter((key) => capabilities[key] !== ranks[key].at(-1)).map((key) => [key, capabilities[key]]),
  )
}

/** Refuses a backend that promises less than is required. */
export function demand(backend: string, capabilities: Capabilities, required: Requirements): void {
  const short = shortfalls(capabilities, required)
  if (short.length === 0) return
  const list = short.map((key) => {
    const at = key as keyof Requirements
    return `${key} ${shown(required[at])} (it has ${shown(capabilities[at])})`
  })
  throw unsupported(`the backend ${shown(backend)} does not promise ${list.join(', ')}`)
}

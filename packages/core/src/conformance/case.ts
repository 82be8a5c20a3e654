import type { Capabilities, Requirements } from '../capabilities.ts'
import type { Context } from './context.ts'

/** One sentence of the contract, as a test. */
export interface Case {
  /** Stable, such as `release/idempotent`. */
  readonly id: string
  /** The line of the contract that it belongs to. */
  readonly line: number
  readonly title: string
  /** The capabilities that it needs. A backend without them must refuse what it asks for. */
  readonly requires?: Requirements
  readonly run: (t: Context) => Promise<void>
}

/** What became of a case on a backend. A failure is an exception. */
export type Outcome = 'pass' | 'refused as declared' | 'out of scope'

/** What a backend must refuse when it declares that it lacks a capability. */
export const refusals: {
  readonly [K in keyof Requirements]-?: (t: Context, wanted: Capabilities[K]) => Promise<void>
} = {
  scope: (t, wanted) => t.refusesToStart({ scope: wanted }),
  fencing: (t, wanted) => t.refusesToStart({ fencing: wanted }),
  order: (t, wanted) => t.refusesToStart({ order: wanted }),
  sets: (t, wanted) => t.refusesToStart({ sets: wanted }),
  reconnects: (t, wanted) => t.refusesToStart({ reconnects: wanted }),
  async shared(t, wanted) {
    await t.refusesToStart({ shared: wanted })
    await t.refuses(async (locks) => locks.acquire(t.name(), { mode: 'shared' }))
  },
  async semaphore(t, wanted) {
    await t.refusesToStart({ semaphore: wanted })
    await t.refuses(async (locks) => locks.acquire(t.name(), { permits: 2 }))
  },
  async steal(t, wanted) {
    await t.refusesToStart({ steal: wanted })
    await t.refuses(async (locks) => locks.acquire(t.name(), { steal: true }))
  },
  async elections(t, wanted) {
    await t.refusesToStart({ elections: wanted })
    const election = async () => (await t.open()).election(t.name())
    await t.fails(election(), 'UNSUPPORTED')
  },
  async listing(t, wanted) {
    await t.refusesToStart({ listing: wanted })
    await t.refuses(async (locks) => locks.query())
  },
}

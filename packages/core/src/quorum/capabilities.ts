import type { Capabilities } from '../capabilities.ts'
import type { Backend } from '../contract.ts'
import { invalid } from '../errors.ts'

/** Milliseconds that a waiter's way from node to node may add to the slowest takeover of a node. */
const way = 1_000

/** What a quorum promises: what its weakest node does, and less where a majority is no queue. */
export function capabilitiesOf(nodes: readonly Backend[]): Capabilities {
  const all = nodes.map(({ capabilities }) => capabilities)
  const ttl = {
    min: Math.max(...all.map(({ ttl: { min } }) => min)),
    max: Math.min(...all.map(({ ttl: { max } }) => max)),
  }
  if (ttl.min > ttl.max) {
    throw invalid(
      `the nodes of a quorum must have a ttl in common: one starts at ${ttl.min} ms, one ends at ${ttl.max}`,
    )
  }
  return {
    scope: scopes.find((scope) => all.some((each) => each.scope === scope)) ?? 'process',
    // Of a majority that has forgotten what it stored, no token is known.
    fencing: all.every(({ fencing, raises }) => fencing !== 'none' && raises) ? 'volatile' : 'none',
    order: 'none',
    shared: all.every(({ shared }) => shared),
    semaphore: false,
    steal: false,
    sets: 'ordered',
    elections: all.every(({ elections }) => elections),
    listing: 'none',
    reconnects: all.every(({ reconnects }) => reconnects),
    ttl,
    takeover: Math.max(...all.map(({ takeover }) => takeover)) + way,
  }
}

const scopes = ['process', 'machine', 'network'] as const

import type { Claim, Grant, Heartbeat, Loss, Proof } from '@locks/core/backend'
import type { Call } from './client.ts'
import { code, unless } from './failures.ts'
import type { Ledger } from './ledger.ts'
import type { Looks } from './looks.ts'
import type { Nodes } from './nodes.ts'
import { ephemerals } from './operations.ts'
import type { Paths } from './paths.ts'
import type { Place } from './place.ts'

export type Standing = Grant | Proof | Loss

export interface RenewalsOptions {
  readonly call: Call
  readonly paths: Paths
  readonly ledger: Ledger
  readonly nodes: Nodes
  readonly looks: Looks
  readonly heartbeat: Heartbeat
  readonly grant: (place: Place, proof: Proof) => Grant
}

/**
 * How the claims of a session stand, all in one round trip: the servers' list of its nodes is read behind the write of a
 * beat, so it is as new as that.
 */
export async function standings(options: RenewalsOptions, claims: readonly Claim[]): Promise<Map<string, Standing>> {
  const { call, paths, ledger, nodes, looks, heartbeat, grant } = options
  const found = new Map<string, Standing>()
  const places = claims.flatMap(({ id }) => {
    const place = ledger.get(id)
    if (!place) found.set(id, 'gone')
    return place?.node === undefined ? [] : [place]
  })
  // No two places have the same mark, which the last part of a node’s path has in it.
  const sent = places.map(({ node }) => node)
  const [proof, list] = await Promise.all([heartbeat.renewed(), call(ephemerals(paths.namespace), true)])
  const alive = new Set(list.map((path) => path.slice(path.lastIndexOf('/') + 1)))
  const lost = places.filter((place, at) => !alive.has(sent[at] as string) && !place.unwanted)
  await Promise.all(
    lost.map(async (place) => {
      found.set(place.request.id, await lossOf(place, nodes))
      ledger.delete(place)
    }),
  )
  await looks.some()
  for (const place of places) {
    const { id } = place.request
    if (found.has(id) || place.unwanted) continue
    if (place.token !== undefined) found.set(id, grant(place, proof))
    else if (place.waits) found.set(id, proof)
  }
  return found
}

/** Every thief has raised the version of the parent. */
async function lossOf(place: Place, nodes: Nodes): Promise<Loss> {
  const list = await unless(nodes.list(place.name), undefined, code.noNode)
  return list && place.token !== undefined && list.stat.version > place.version ? 'stolen' : 'gone'
}

import type { Adapter, LockManager } from '@locks/core'
import type { Proxy } from '@locks/testkit'
import type { Post } from './crew/member.ts'
import type { Line } from './nemesis/lines.ts'
import type { Commission } from './protocol.ts'
import type { Deployment, Network } from './stores/store.ts'
import { open, type Way } from './work/open.ts'

/** How the clients reach the store: each has lines of its own that can fail, if there is anything in between. */
export interface Ways {
  readonly lines: ReadonlyMap<number, readonly Line[]>
  of(place: number): Way
  readonly local?: (commission: Commission) => Promise<LockManager>
  /** For whoever uses the store in this process, without a line that fails. */
  readonly adapters: readonly Adapter[]
}

export async function connect(deployment: Deployment, posts: readonly Post[], proxy: Proxy | undefined): Promise<Ways> {
  const { network, local, way } = deployment
  const lines = new Map<number, readonly Line[]>()
  if (network && proxy) {
    const ways = new Map<number, Way>()
    for (const { place, role } of posts) {
      const own = await linesTo(network, proxy)
      lines.set(
        place,
        own.map((line) => ({ ...line, probes: role === 'prober' })),
      )
      ways.set(place, network.through(own.flatMap(({ ports }) => ports)))
    }
    return { lines, of: (place) => ways.get(place) ?? way, adapters: [] }
  }
  if (!local) return { lines, of: () => way, adapters: [] }
  const clients = new Map(posts.map((post) => [`${post.place}`, { ...local.client(), post }]))
  for (const [, { line, post }] of clients) lines.set(post.place, [{ ...line, probes: post.role === 'prober' }])
  const adapterAt = (at: string): readonly Adapter[] => {
    const found = clients.get(at)
    return found ? [found.adapter] : []
  }
  return {
    lines,
    of: (place) => ({ url: `${way.url}${place}` }),
    local: ({ way: own, terms }) => open(own, terms, adapterAt(own.url.slice(way.url.length))),
    adapters: [local.client().adapter],
  }
}

/** One to all servers, or one to each. */
function linesTo({ ports, framing, apart = false }: Network, proxy: Proxy) {
  const upstreams = ports.map((port) => ({ host: '127.0.0.1', port }))
  const groups = apart ? upstreams.map((each) => [each]) : [upstreams]
  return Promise.all(groups.map((group) => proxy.line({ upstreams: group, framing })))
}

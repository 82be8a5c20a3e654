import type { Adapter, LockManager } from '@locks/core'
import type { Proxy } from '@locks/testkit'
import type { Post } from './crew/member.ts'
import type { Line } from './nemesis/lines.ts'
import type { Commission } from './protocol.ts'
import type { Deployment } from './stores/store.ts'
import { open, type Way } from './work/open.ts'

/** How the clients reach the store: each has a line of its own that can fail, if there is anything in between. */
export interface Ways {
  readonly lines: ReadonlyMap<number, Line>
  of(place: number): Way
  readonly local?: (commission: Commission) => Promise<LockManager>
  /** For whoever uses the store in this process, without a line that fails. */
  readonly adapters: readonly Adapter[]
}

export async function connect(deployment: Deployment, posts: readonly Post[], proxy: Proxy | undefined): Promise<Ways> {
  const { network, local, way } = deployment
  const lines = new Map<number, Line>()
  if (network && proxy) {
    const ways = new Map<number, Way>()
    const upstreams = network.ports.map((port) => ({ host: '127.0.0.1', port }))
    for (const { place, role } of posts) {
      const { ports, ...line } = await proxy.line({ upstreams, framing: network.framing })
      lines.set(place, { ...line, probes: role === 'prober' })
      ways.set(place, network.through(ports))
    }
    return { lines, of: (place) => ways.get(place) ?? way, adapters: [] }
  }
  if (!local) return { lines, of: () => way, adapters: [] }
  const clients = new Map(posts.map((post) => [`${post.place}`, { ...local.client(), post }]))
  for (const [, { line, post }] of clients) lines.set(post.place, { ...line, probes: post.role === 'prober' })
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

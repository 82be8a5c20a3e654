import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts } from '../ports.ts'
import { startProxy, type Proxy, type ProxyLine } from '../proxy/proxy.ts'
import { until } from '../until.ts'
import { ask } from './asking.ts'
import { zookeeperFolder, type ZookeeperOptions } from './config.ts'
import { ZookeeperServer } from './server.ts'

export interface EnsembleOptions extends ZookeeperOptions {
  /** After so many ticks of silence a follower has no leader any more, and a leader no follower. */
  readonly syncLimit?: number
}

/** From one server to another. */
interface Link {
  readonly from: number
  readonly to: number
  readonly line: ProxyLine
}

const all = [0, 1, 2]

/** Three servers, which reach each other by lines that can be cut; their clients reach them without. */
export class ZookeeperEnsemble {
  readonly servers: readonly ZookeeperServer[]
  readonly #proxy: Proxy
  readonly #links: readonly Link[]

  constructor(servers: readonly ZookeeperServer[], proxy: Proxy, links: readonly Link[]) {
    this.servers = servers
    this.#proxy = proxy
    this.#links = links
  }

  /** As the first one says that leads and serves; one that has been replaced may not know of it yet. */
  leader(): Promise<ZookeeperServer> {
    return leaderOf(this.servers)
  }

  async followers(): Promise<ZookeeperServer[]> {
    const leader = await this.leader()
    return this.servers.filter((server) => server !== leader)
  }

  /** Waits until another one leads. */
  elected(former: ZookeeperServer): Promise<ZookeeperServer> {
    const others = this.servers.filter((server) => server !== former)
    return until('another one leads', () => leaderOf(others))
  }

  /** Waits until all serve, and follow the same leader. */
  async ready(): Promise<void> {
    await until('all serve', async () => {
      const modes = await Promise.all(this.servers.map(modeOf))
      return modes.filter((mode) => mode === 'follower').length === all.length - 1 && modes.includes('leader')
    })
  }

  /** Nothing arrives any more at this server from the others, nor at them from it. Its clients notice nothing of that. */
  async cutOff(server: ZookeeperServer): Promise<void> {
    const at = this.servers.indexOf(server)
    const links = this.#links.filter(({ from, to }) => from === at || to === at)
    await Promise.all(links.map(({ line }) => line.wire.silence()))
  }

  async heal(): Promise<void> {
    await Promise.all(this.#links.map(({ line }) => line.wire.heal()))
  }

  async end(): Promise<void> {
    await Promise.all([...this.servers.map((server) => server.end()), this.#proxy.end()])
  }
}

export async function startEnsemble(options: EnsembleOptions = {}): Promise<ZookeeperEnsemble> {
  const ports = await Promise.all(all.map(() => freePorts(3)))
  const proxy = await startProxy()
  const pairs = all.flatMap((from) => all.filter((to) => to !== from).map((to) => ({ from, to })))
  const links = await Promise.all(
    pairs.map(async ({ from, to }): Promise<Link> => {
      const upstreams = peerPorts(ports[to]).map((port) => ({ host: '127.0.0.1', port }))
      return { from, to, line: await proxy.line({ upstreams, framing: 'none', patience: 1_000 }) }
    }),
  )
  const servers = await Promise.all(ports.map((own, at) => prepare(at, own, links, options)))
  // None is ready before there are two.
  await Promise.all(servers.map((server) => server.start()))
  const ensemble = new ZookeeperEnsemble(servers, proxy, links)
  await ensemble.ready()
  return ensemble
}

/** After the one for clients: for what a leader sends, and for elections. */
const peerPorts = ([, ...peers]: readonly number[] = []): readonly number[] => peers

async function prepare(
  at: number,
  own: readonly number[],
  links: readonly Link[],
  { syncLimit = 10, ...options }: EnsembleOptions,
): Promise<ZookeeperServer> {
  const [port = 0] = own
  const addresses = all.map((to) => {
    const link = links.find((each) => each.from === at && each.to === to)
    // Where it says itself that it is, others call it back, past the lines. Nobody can be called at 0.0.0.0: they then
    // call where they have it.
    const address = link ? ['127.0.0.1', ...link.line.ports] : ['0.0.0.0', ...peerPorts(own)]
    return [`server.${to + 1}`, address.join(':')] as const
  })
  const settings = { initLimit: '50', syncLimit: String(syncLimit), ...Object.fromEntries(addresses) }
  const folder = await zookeeperFolder(port, options, settings)
  await writeFile(join(folder, 'myid'), String(at + 1))
  return new ZookeeperServer(folder, port, options, { ensemble: true })
}

async function modeOf({ port }: ZookeeperServer): Promise<string | undefined> {
  // One that is about to change its mode may take a connection and forget it.
  return /^Mode: (.*)$/m.exec(await ask(port, 'srvr', { patience: 500 }))?.[1]
}

function leaderOf(servers: readonly ZookeeperServer[]): Promise<ZookeeperServer> {
  return Promise.any(
    servers.map(async (server) => {
      if ((await modeOf(server)) !== 'leader') throw new Error(`the server on port ${server.port} does not lead`)
      return server
    }),
  )
}

import { freePorts } from '../ports.ts'
import { until } from '../until.ts'
import { answers, isReplicating } from './asking.ts'
import { parseClusterNodes, type ClusterNode } from './cluster-nodes.ts'
import { startRedis, type RedisServer } from './server.ts'

type Pair = readonly [RedisServer, RedisServer]

/** Three masters with one replica each, which takes the place of a master that has not answered for a second. */
export class RedisCluster {
  readonly nodes: readonly RedisServer[]
  readonly #pairs: readonly Pair[]

  /** A master and its replica; they change roles but stay a pair, since no master has a replica to spare for another. */
  constructor(pairs: readonly Pair[]) {
    this.#pairs = pairs
    this.nodes = pairs.flat()
  }

  /** As the first node to answer has it, like all that is asked here. */
  async masters(): Promise<RedisServer[]> {
    return this.#having(({ slots }) => slots.length > 0)
  }

  /** The master of a slot, or of a key. */
  async masterOf(slotOrKey: number | string): Promise<RedisServer> {
    const slot = typeof slotOrKey === 'number' ? slotOrKey : Number(await this.#ask('CLUSTER', 'KEYSLOT', slotOrKey))
    const [found] = await this.#having(({ slots }) => slots.some(([first, last]) => first <= slot && slot <= last))
    if (!found) throw new Error(`nobody has slot ${slot}`)
    return found
  }

  /** The other one of its pair: a master's replica. */
  replicaOf(node: RedisServer): RedisServer {
    const pair = this.#pairs.find((each) => each.includes(node))
    if (!pair) throw new Error(`the node on port ${node.port} is none of this cluster's`)
    return node === pair[0] ? pair[1] : pair[0]
  }

  /** Waits until its replica is master in its place, and the cluster works, as all others that answer see it. */
  promoted(former: RedisServer): Promise<RedisServer> {
    const next = this.replicaOf(former)
    const others = this.nodes.filter((node) => node !== former)
    return until('the replica is master', async () => {
      const views = (await answers(others, 'CLUSTER', 'NODES')).map(parseClusterNodes)
      const isMaster = (view: ClusterNode[]) => view.some(({ port, slots }) => port === next.port && slots.length > 0)
      if (views.length === 0 || !views.every(isMaster)) return false
      return (await answers(others, 'CLUSTER', 'INFO')).every(isWorking) && next
    })
  }

  /** Waits until everything runs: every node sees that all do, and every replica follows its master. */
  async ready(): Promise<void> {
    const nodes = this.nodes.map((node) =>
      until('a node sees the whole cluster work', async () => {
        const view = parseClusterNodes(await node.cli('CLUSTER', 'NODES'))
        const isWhole = view.length === this.nodes.length && view.every(({ isWell }) => isWell)
        const replicas = view.filter(({ master }) => master)
        return isWhole && replicas.length === this.#pairs.length && isWorking(await node.cli('CLUSTER', 'INFO'))
      }),
    )
    const pairs = this.#pairs.map((pair) =>
      until('a replica follows its master', async () => (await Promise.all(pair.map(isReplicating))).includes(true)),
    )
    await Promise.all([...nodes, ...pairs])
  }

  async end(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.end()))
  }

  async #having(condition: (node: ClusterNode) => boolean): Promise<RedisServer[]> {
    const ports = parseClusterNodes(await this.#ask('CLUSTER', 'NODES')).flatMap((node) =>
      condition(node) ? [node.port] : [],
    )
    return this.nodes.filter(({ port }) => ports.includes(port))
  }

  #ask(...command: string[]): Promise<string> {
    return Promise.any(this.nodes.map((node) => node.cli(...command)))
  }
}

export async function startCluster(): Promise<RedisCluster> {
  const ports = await freePorts(12)
  const addresses = ports.slice(0, 6).map((port) => `127.0.0.1:${port}`)
  const nodes = await Promise.all(ports.slice(0, 6).map((port, at) => startNode(port, ports[6 + at])))
  await nodes[0]?.cli('--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes')
  const cluster = new RedisCluster(await until('every master has a replica', () => pairUp(nodes)))
  await cluster.ready()
  return cluster
}

function startNode(port: number, bus: number | undefined): Promise<RedisServer> {
  const config = {
    'cluster-enabled': 'yes',
    'cluster-port': String(bus),
    'cluster-node-timeout': '1000',
    // However long a replica has not heard of its master, it may take its place.
    'cluster-replica-validity-factor': '0',
  }
  return startRedis({ port, config })
}

async function pairUp(nodes: readonly RedisServer[]): Promise<Pair[] | undefined> {
  const [view = ''] = await answers(nodes, 'CLUSTER', 'NODES')
  const known = parseClusterNodes(view)
  const pairs = nodes.flatMap((replica): Pair[] => {
    const { master: id } = known.find(({ port }) => port === replica.port) ?? {}
    const master = nodes.find(({ port }) => known.some((node) => node.id === id && node.port === port))
    return master ? [[master, replica]] : []
  })
  return pairs.length === nodes.length / 2 ? pairs : undefined
}

function isWorking(info: string): boolean {
  return info.startsWith('cluster_state:ok')
}

import { freePorts } from '../ports.ts'
import { until } from '../until.ts'
import { answers, isReplicating } from './asking.ts'
import { redisFolder } from './config.ts'
import { RedisServer, startRedis } from './server.ts'

const name = 'locks'
const whoIsMaster = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name]

/** How often, ms, the sentinels look around: otherwise 1, 2 and 10 s. Not a setting: it ends with their process. */
const haste = ['ASK-PERIOD', 'PUBLISH-PERIOD', 'INFO-PERIOD'].flatMap((period) => [period, '100'])

/** A master and its replica, and three sentinels, which replace a master that has not answered for 500 ms. */
export class RedisSentinel {
  readonly name = name
  readonly nodes: readonly [RedisServer, RedisServer]
  readonly sentinels: readonly RedisServer[]

  constructor(nodes: readonly [RedisServer, RedisServer], sentinels: readonly RedisServer[]) {
    this.nodes = nodes
    this.sentinels = sentinels
  }

  /** As the first sentinel to answer has it. */
  async master(): Promise<RedisServer> {
    return this.#named(await Promise.any(this.sentinels.map((sentinel) => sentinel.cli(...whoIsMaster))))
  }

  async replica(): Promise<RedisServer> {
    return this.#otherThan(await this.master())
  }

  /** Waits until the other node is master, and all sentinels that answer say so. */
  promoted(former: RedisServer): Promise<RedisServer> {
    const next = this.#otherThan(former)
    return until('the other node is master', async () => {
      const masters = (await answers(this.sentinels, ...whoIsMaster)).map((answer) => this.#named(answer))
      if (masters.length === 0 || masters.some((master) => master !== next)) return false
      return (await next.cli('ROLE')).startsWith('master') && next
    })
  }

  /**
   * Waits until everything runs: the replica follows the master, and the sentinels know them and each other, and act; for
   * 30 s after a jump of its clock a sentinel only looks on.
   */
  async ready(): Promise<void> {
    await until('the replica follows the master', async () => isReplicating(await this.replica()))
    await Promise.all(
      this.sentinels.map((sentinel) =>
        until('a sentinel knows all the others, and acts', async () => {
          if (!(await sentinel.cli('INFO', 'sentinel')).includes('sentinel_tilt:0')) return false

          const known = await sentinel.cli('SENTINEL', 'MASTER', name)
          return ['flags\nmaster', 'num-slaves\n1', 'num-other-sentinels\n2'].every((fact) =>
            `\n${known}\n`.includes(`\n${fact}\n`),
          )
        }),
      ),
    )
  }

  async end(): Promise<void> {
    await Promise.all([...this.nodes, ...this.sentinels].map((server) => server.end()))
  }

  #named(answer: string): RedisServer {
    const port = Number(answer.split('\n')[1])
    const found = this.nodes.find((node) => node.port === port)
    if (!found) throw new Error(`no node is at ${answer}`)
    return found
  }

  #otherThan(node: RedisServer): RedisServer {
    return node === this.nodes[0] ? this.nodes[1] : this.nodes[0]
  }
}

export async function startSentinel(): Promise<RedisSentinel> {
  const master = await startRedis()
  // A replica that does not find its master tries again after a second.
  const replica = await startRedis({ config: { replicaof: `127.0.0.1 ${master.port}` } })
  const ports = await freePorts(3)
  const sentinels = await Promise.all(ports.map((port) => startOne(port, master.port)))
  const started = new RedisSentinel([master, replica], sentinels)
  await started.ready()
  return started
}

async function startOne(port: number, master: number): Promise<RedisServer> {
  const folder = await redisFolder(port, {}, [
    `sentinel monitor ${name} 127.0.0.1 ${master} 2`,
    `sentinel down-after-milliseconds ${name} 500`,
    `sentinel failover-timeout ${name} 1000`,
  ])
  const server = new RedisServer(folder, port, { sentinel: true })
  await server.start()
  await server.cli('SENTINEL', 'DEBUG', ...haste)
  return server
}
